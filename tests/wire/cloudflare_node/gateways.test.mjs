import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ACCOUNT, Cloudflare, GATEWAY, READER, account, all, client, connect, failure, place, sent } from './client.mjs';

const required = {
  cache_invalidate_on_update: true,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
};

test('gateways: create, get, update, delete', async () => {
  const id = 'node-crud';
  const made = await client.aiGateway.create({ ...account, id, ...required, authentication: true });
  assert.equal(made.id, id);
  assert.equal(made.authentication, true);
  assert.ok(!Number.isNaN(Date.parse(made.created_at)));
  assert.deepEqual(await client.aiGateway.get(id, account), made);
  const updated = await client.aiGateway.update(id, { ...account, ...required, cache_ttl: null, collect_logs: false });
  assert.deepEqual([updated.collect_logs, updated.authentication, updated.cache_ttl], [false, false, 0]);
  assert.equal((await client.aiGateway.delete(id, account)).id, id);
  assert.ok((await failure(client.aiGateway.get(id, account))) instanceof Cloudflare.NotFoundError);
});

test('gateways: the pager ends', async () => {
  for (let index = 0; index < 5; index++) {
    await client.aiGateway.create({ ...account, id: `node-page-${index}`, ...required });
  }
  const before = sent.length;
  const listed = await all(client.aiGateway.list({ ...account, search: 'node-PAGE', per_page: 2 }));
  assert.deepEqual(listed.map((item) => item.id).sort(), [0, 1, 2, 3, 4].map((index) => `node-page-${index}`));
  assert.equal(sent.length - before, 4);
});

test('urls', async () => {
  const url = await client.aiGateway.urls.get('openai', place);
  assert.ok(url.endsWith(`/v1/${ACCOUNT}/${GATEWAY}/openai`), url);
  const universal = await client.aiGateway.urls.get('universal', place);
  assert.ok(universal.endsWith(`/v1/${ACCOUNT}/${GATEWAY}/`), universal);
  const unknown = await failure(client.aiGateway.urls.get('nobody', place));
  assert.deepEqual(unknown.error.errors[0].path, ['params', 'provider']);
});

test('custom providers', async () => {
  const providers = client.aiGateway.customProviders;
  const body = { ...account, name: 'Node SDK', slug: 'node-sdk', base_url: 'https://ai.example.com' };
  const made = await providers.create({ ...body, position: 2, headers: '{"x-team":"blue"}' });
  assert.deepEqual([made.slug, made.enable, made.position, made.headers], ['node-sdk', false, 2, '{"x-team":"blue"}']);
  assert.deepEqual(await providers.get(made.id, account), made);
  const listed = await all(providers.list({ ...account, search: 'NODE-S', beta: false, enable: false }));
  assert.deepEqual(listed, [made]);
  const taken = await failure(providers.create(body));
  assert.ok(taken instanceof Cloudflare.ConflictError);
  assert.equal(taken.errors[0].code, 1003);
  const http = await failure(providers.create({ ...body, slug: 'other', base_url: 'http://ai.example.com' }));
  assert.equal(http.errors[0].code, 1002);
  assert.equal((await providers.delete(made.id, account)).id, made.id);
  assert.equal((await failure(providers.get(made.id, account))).errors[0].code, 1004);
});

test('tokens and errors', async () => {
  const verified = await client.user.tokens.verify();
  assert.equal(verified.status, 'active');
  const unknown = connect({ apiToken: 'not-a-token' });
  assert.ok((await failure(unknown.user.tokens.verify())) instanceof Cloudflare.AuthenticationError);
  const refused = await failure(unknown.aiGateway.get(GATEWAY, account));
  assert.ok(refused instanceof Cloudflare.AuthenticationError);
  assert.equal(refused.errors[0].code, 10000);
  const bad = await failure(client.aiGateway.create({ ...account, id: GATEWAY, ...required }));
  assert.ok(bad instanceof Cloudflare.BadRequestError);
  assert.deepEqual(bad.error.errors[0].path, ['body', 'id']);
  const foreign = await failure(client.aiGateway.get(GATEWAY, { account_id: '0'.repeat(32) }));
  assert.ok(foreign instanceof Cloudflare.PermissionDeniedError);
});

test('a reading token reads only, by bearer and by e-mail with key', async () => {
  for (const reader of [
    connect({ apiToken: READER }),
    connect({ apiToken: null, apiEmail: 'admin@localhost', apiKey: READER }),
  ]) {
    assert.equal((await reader.aiGateway.get(GATEWAY, account)).id, GATEWAY);
    const refused = await failure(reader.aiGateway.delete(GATEWAY, account));
    assert.ok(refused instanceof Cloudflare.PermissionDeniedError);
  }
});
