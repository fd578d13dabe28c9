import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { ACCOUNT, Cloudflare, GATEWAY, account, all, client, failure, place } from './client.mjs';

const { datasets, evaluations, evaluationTypes } = client.aiGateway;
const filters = [
  { key: 'provider', operator: 'eq', value: ['openai', 'anthropic'] },
  { key: 'success', operator: 'eq', value: [true] },
];

test('datasets', async () => {
  const made = await datasets.create(GATEWAY, { ...account, name: 'first', enable: true, filters });
  assert.deepEqual(made.filters, filters);
  assert.deepEqual(await datasets.get(made.id, place), made);
  await datasets.create(GATEWAY, { ...account, name: 'second', enable: false, filters: [] });
  assert.equal((await all(datasets.list(GATEWAY, { ...account, per_page: 1 }))).length, 2);
  assert.deepEqual(await all(datasets.list(GATEWAY, { ...account, enable: true, search: 'FIRST' })), [made]);
  const changed = await datasets.update(made.id, { ...place, name: 'third', enable: false, filters: [] });
  assert.deepEqual([changed.name, changed.enable, changed.filters], ['third', false, []]);
  assert.equal((await datasets.delete(made.id, place)).id, made.id);
  assert.ok((await failure(datasets.get(made.id, place))) instanceof Cloudflare.NotFoundError);
  const like = [{ key: 'model', operator: 'like', value: ['x'] }];
  const bad = await failure(datasets.create(GATEWAY, { ...account, name: 'bad', enable: true, filters: like }));
  assert.deepEqual(bad.error.errors[0].path, ['body', 'filters', 0, 'operator']);
});

test('groups and text in bodies', async () => {
  const body = { key: 'response_body', operator: 'contains', value: ['chat.completion'] };
  const groups = [{ any_of: [{ key: 'cached', operator: 'eq', value: [true] }, { all_of: [body] }] }, { none_of: [filters[1]] }];
  const made = await datasets.create(GATEWAY, { ...account, name: 'groups', enable: true, filters: groups });
  assert.deepEqual(made.filters, groups);
  const changed = await datasets.update(made.id, { ...place, name: 'groups', enable: true, filters: made.filters });
  assert.deepEqual(changed.filters, groups);
  assert.deepEqual((await datasets.get(made.id, place)).filters, groups);
  await datasets.delete(made.id, place);
});

test('evaluation types', async () => {
  const types = await all(evaluationTypes.list({ ...account, per_page: 5, order_by: 'name', order_by_direction: 'asc' }));
  for (const id of ['cost', 'speed', 'human_feedback']) assert.ok(types.some((type) => type.id === id), id);
});

test('evaluations', async () => {
  const dataset = await datasets.create(GATEWAY, { ...account, name: 'evaluated', enable: true, filters });
  const body = { ...account, name: 'one', dataset_ids: [dataset.id], evaluation_type_ids: ['cost', 'human_feedback'] };
  let evaluation = await evaluations.create(GATEWAY, body);
  assert.deepEqual([evaluation.datasets[0].id, evaluation.datasets[0].account_tag], [dataset.id, ACCOUNT]);
  for (let tries = 0; !evaluation.processed && tries < 600; tries++) {
    await wait(100);
    evaluation = await evaluations.get(evaluation.id, place);
  }
  assert.equal(evaluation.total_logs, 5);
  const [cost, feedback] = evaluation.results;
  assert.deepEqual([cost.evaluation_type_id, cost.result, cost.status, cost.total_logs], ['cost', '0.002', 2, 5]);
  assert.deepEqual([feedback.result, feedback.status, feedback.total_logs], ['', 3, 0]);
  assert.deepEqual(await all(evaluations.list(GATEWAY, { ...account, processed: true, name: 'one' })), [evaluation]);
  const again = await failure(evaluations.create(GATEWAY, body));
  assert.deepEqual(again.error.errors[0].path, ['body', 'name']);
  assert.equal((await evaluations.delete(evaluation.id, place)).id, evaluation.id);
  assert.ok((await failure(evaluations.get(evaluation.id, place))) instanceof Cloudflare.NotFoundError);
});
