import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cloudflare, GATEWAY, account, client, failure, place } from './client.mjs';

const { dynamicRouting } = client.aiGateway;
const end = { id: 'end', type: 'end', outputs: {} };
const start = { id: 'start', type: 'start', outputs: { next: { elementId: 'm' } } };
const model = (name) => ({
  id: 'm',
  type: 'model',
  properties: { provider: 'openai', model: name, timeout: 5000, retries: 0 },
  outputs: { success: { elementId: 'end' }, fallback: { elementId: 'end' } },
});

test('routes, versions, deployments', async () => {
  const elements = [start, model('one'), end];
  const made = await dynamicRouting.create(GATEWAY, { ...account, name: 'first', elements });
  assert.deepEqual(made.elements, elements);
  assert.equal(made.version.active, 'true');
  assert.equal(made.deployment.version_id, made.version.version_id);
  assert.deepEqual(await dynamicRouting.get(made.id, place), made);

  const listed = await dynamicRouting.list(GATEWAY, { ...account, page: 1, per_page: 5 });
  assert.deepEqual(listed.data.routes.map((route) => route.name), ['first']);

  const version = await dynamicRouting.createVersion(made.id, { ...place, elements: [start, model('two'), end] });
  const versions = (await dynamicRouting.listVersions(made.id, place)).data.versions;
  assert.deepEqual(versions.map((each) => each.active), ['false', 'true']);
  const kept = await dynamicRouting.getVersion(versions[0].version_id, { ...place, id: made.id });
  assert.deepEqual(kept.elements, version.elements);

  const deployed = await dynamicRouting.createDeployment(made.id, { ...place, version_id: versions[0].version_id });
  assert.equal(deployed.elements[1].properties.model, 'two');
  const deployments = (await dynamicRouting.listDeployments(made.id, place)).data.deployments;
  assert.deepEqual(deployments.map((each) => each.version_id), versions.map((each) => each.version_id));

  const renamed = await dynamicRouting.update(made.id, { ...place, name: 'second' });
  assert.deepEqual([renamed.success, renamed.route.name], [true, 'second']);
  assert.equal((await dynamicRouting.delete(made.id, place)).id, made.id);
  assert.ok((await failure(dynamicRouting.get(made.id, place))) instanceof Cloudflare.NotFoundError);
});

test('what is no route is refused with its path', async () => {
  const looping = { ...model('one'), outputs: { success: { elementId: 'end' }, fallback: { elementId: 'm' } } };
  const bad = await failure(dynamicRouting.create(GATEWAY, { ...account, name: 'bad', elements: [start, looping, end] }));
  assert.deepEqual(bad.error.errors[0].path, ['body', 'elements', 1, 'outputs', 'fallback', 'elementId']);
});
