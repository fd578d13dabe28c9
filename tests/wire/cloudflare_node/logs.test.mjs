import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Cloudflare, GATEWAY, LOGS, account, all, client, failure, place, sent } from './client.mjs';

const { logs } = client.aiGateway;

async function listed(query) {
  const items = await all(logs.list(GATEWAY, { ...account, ...query }));
  return items.map((item) => LOGS.indexOf(item.id));
}

test('pages', async () => {
  assert.deepEqual(await listed({ per_page: 4 }), [5, 4, 3, 2, 1, 0]);
  const first = await logs.list(GATEWAY, { ...account, per_page: 4, meta_info: true });
  assert.equal(first.result_info.total_count, 6);
  assert.equal(first.result_info.max_cost, 0.005);
});

test('simple parameters', async () => {
  assert.deepEqual(await listed({ success: false }), [5]);
  assert.deepEqual(await listed({ model: 'ok-3', provider: 'openai' }), [3]);
  assert.deepEqual(await listed({ min_cost: 0.002, max_cost: 0.003 }), [3, 2]);
  assert.deepEqual(await listed({ search: 'user-1', order_by: 'created_at', order_by_direction: 'asc' }), [1, 3, 5]);
  assert.deepEqual(await listed({ start_date: new Date(0), end_date: '2099-01-01T00:00:00Z', feedback: 0 }), [5, 4, 3, 2, 1, 0]);
  assert.deepEqual(await listed({ end_date: new Date(0) }), []);
});

test('filters as this SDK sends them: one after the other', async () => {
  const filters = [
    { key: 'model', operator: 'eq', value: ['ok-1', 'ok-4', 'error-500'] },
    { key: 'success', operator: 'eq', value: [true] },
    { key: 'cost', operator: 'lt', value: [0.004] },
  ];
  assert.deepEqual(await listed({ filters: filters.slice(0, 2) }), [4, 1]);
  const parts = sent.at(-1).map(([name]) => name).filter((name) => name.startsWith('filters'));
  const one = ['filters.key', 'filters.operator', 'filters.value'];
  assert.deepEqual(parts, [...one, 'filters.value', 'filters.value', ...one]);
  assert.deepEqual(await listed({ filters }), [1]);
});

test('filters with null', async () => {
  assert.deepEqual(await listed({ filters: [{ key: 'feedback', operator: 'eq', value: [null] }] }), [5, 4, 3, 2, 1, 0]);
  assert.deepEqual(await listed({ filters: [{ key: 'cost', operator: 'neq', value: [null] }] }), [5, 4, 3, 2, 1, 0]);
  assert.deepEqual(await listed({ filters: [{ key: 'event_id', operator: 'eq', value: [null, 'event-2'] }] }), [2]);
});

test('bad filters', async () => {
  const bad = await failure(listed({ filters: [{ key: 'colour', operator: 'eq', value: ['red'] }] }));
  assert.ok(bad instanceof Cloudflare.BadRequestError);
  assert.deepEqual(bad.error.errors[0].path, ['query', 'filters', 0, 'key']);
  const none = await failure(listed({ filters: [{ key: 'model', operator: 'eq', value: [] }] }));
  assert.deepEqual(none.error.errors[0].path, ['query', 'filters', 0, 'value']);
});

test('a log and its bodies', async () => {
  const log = await logs.get(LOGS[2], place);
  assert.deepEqual([log.id, log.model, log.cost, log.tokens_in, log.status_code], [LOGS[2], 'ok-2', 0.002, 20, 200]);
  assert.deepEqual(log.metadata, { user: 'user-0', n: 2 });
  assert.equal(log.request_head_complete, true);
  assert.equal((await logs.request(LOGS[2], place)).model, 'ok-2');
  assert.equal((await logs.response(LOGS[2], place)).object, 'chat.completion');
});

test('feedback', async () => {
  assert.deepEqual(await logs.edit(LOGS[0], { ...place, feedback: 1, score: 70, metadata: { team: 'blue' } }), {});
  const log = await logs.get(LOGS[0], place);
  assert.deepEqual([log.feedback, log.score, log.metadata], [1, 70, { team: 'blue' }]);
  assert.deepEqual(await listed({ feedback: 1 }), [0]);
  assert.deepEqual(await logs.edit(LOGS[0], { ...place, feedback: null }), {});
  assert.equal((await logs.get(LOGS[0], place)).feedback, null);
  const bad = await failure(logs.edit(LOGS[0], { ...place, score: 101 }));
  assert.deepEqual(bad.error.errors[0].path, ['body', 'score']);
});

test('deletion', async () => {
  const filters = [{ key: 'success', operator: 'eq', value: [false] }];
  assert.deepEqual(await logs.delete(GATEWAY, { ...account, filters }), { success: true });
  assert.deepEqual(await listed({}), [4, 3, 2, 1, 0]);
  assert.deepEqual(await logs.delete(GATEWAY, { ...account, limit: 2 }), { success: true });
  assert.deepEqual(await listed({}), [4, 3, 2]);
  assert.ok((await failure(logs.get(LOGS[0], place))) instanceof Cloudflare.NotFoundError);
  assert.ok((await failure(logs.response(LOGS[0], place))) instanceof Cloudflare.NotFoundError);
});
