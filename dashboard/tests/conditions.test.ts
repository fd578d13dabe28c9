// Conditions as rows and groups, and back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  aboutNode,
  type Group,
  inexact,
  MOST_NODES,
  newGroup,
  newRow,
  type Node,
  OPERATORS,
  replaced,
  type Row,
  toConditions,
  toForm,
  withOperator,
} from '../src/routes/conditions.ts';

const form = (conditions: unknown): Group => {
  const found = toForm(conditions);
  assert(found, JSON.stringify(conditions));
  return found;
};
const back = (conditions: unknown) => JSON.stringify(toConditions(form(conditions)).conditions);
const kinds = (group: Group): unknown[] => group.members.map((one) => (one.kind === 'group' ? [one.join, ...kinds(one)] : one.kind));

test('what is not touched is written as it was', () => {
  for (const conditions of [
    { 'metadata.plan': 'pro' },
    { 'metadata.plan': { $eq: 'pro' } },
    { 'metadata.plan': null, 'body.stream': true, 'body.max_tokens': 0 },
    { 'body.max_tokens': { $gt: 10, $lte: 2000.5 }, 'headers.user-agent': { $regex: '(?i)bot' } },
    { $or: [{ 'metadata.a': { $in: ['x', 'y', 'x'] } }, { 'metadata.b': { $nin: [1, 2] }, 'metadata.c': { $exists: false } }] },
    { $and: [{ $or: [{ 'body.a': 1 }] }, { $not: { 'body.b': 2, $or: [{ 'body.c': 3 }, {}] } }], 'body.d': { $ne: null } },
    { 'body.a': { $not: { $gt: 5 } }, 'body.b': { $in: ['a', 1, null] }, $or: [], $nor: 7, 'body.c': [], 'body.d': {} },
    { 'body.a': { $size: 3 }, '': 'no path', 'body.b': { $exists: 'yes' } },
    {},
  ])
    assert.equal(back(conditions), JSON.stringify(conditions));
});

test('any condition comes back, whatever it is made of', () => {
  let seed = 11;
  const dice = (sides: number) => (seed = (seed * 48_271) % 2_147_483_647) % sides;
  const pick = <T>(from: readonly T[]): T => from[dice(from.length)] as T;
  const scalar = (): unknown => pick(['pro', '', 0, -1.5, 1e21, true, false, null, '"<b>\u202e']);
  const tests = (depth: number): unknown =>
    dice(4) === 0
      ? scalar()
      : Object.fromEntries(
          Array.from({ length: 1 + dice(3) }, () => {
            if (dice(6) === 0 && depth > 0) return ['$not', tests(depth - 1)];
            const operator = pick(OPERATORS);
            if (operator === '$in' || operator === '$nin') return [operator, Array.from({ length: 1 + dice(3) }, scalar)];
            return [operator, operator === '$exists' ? dice(2) === 0 : scalar()];
          }),
        );
  const condition = (depth: number): Record<string, unknown> =>
    Object.fromEntries(
      Array.from({ length: 1 + dice(3) }, () => {
        const way = depth > 0 ? dice(6) : 5;
        if (way < 2) return [pick(['$and', '$or']), Array.from({ length: 1 + dice(3) }, () => condition(depth - 1))];
        if (way === 2) return ['$not', condition(depth - 1)];
        return [`${pick(['body', 'headers', 'metadata'])}.${pick(['a', 'b.0.c', 'X-y', '__proto__'])}`, tests(2)];
      }),
    );
  let shown = 0;
  for (let round = 0; round < 2_000; round += 1) {
    const conditions = condition(3);
    if (toForm(conditions) === null) continue; // more than a form shows; it stays JSON
    shown += 1;
    assert.equal(back(conditions), JSON.stringify(conditions));
  }
  assert(shown > 1_500);
});

test('it is rows and groups where a form can show them', () => {
  const found = form({
    $or: [{ 'metadata.a': 1 }, { 'metadata.b': 2, 'metadata.c': 3 }],
    $not: { 'body.x': { $not: 1 } },
    'body.y': { $gt: 1 },
  });
  assert.deepEqual(kinds(found), [['$or', 'row', ['all', 'row', 'row']], ['$not', 'json'], 'row']);
  assert.equal(toForm([]), null);
  assert.equal(toForm('x'), null);
  assert.equal(toForm({ $or: Array.from({ length: MOST_NODES }, () => ({ 'body.a': 1 })) }), null);
  let deep: Record<string, unknown> = { 'body.a': 1 };
  for (let level = 0; level < 200; level += 1) deep = { $not: deep };
  assert.equal(back(deep), JSON.stringify(deep));
});

test('two rows about one value both count', () => {
  const found = form({ 'metadata.plan': 'pro' });
  const [first] = found.members as [Row];
  const second: Row = { ...newRow(), path: 'metadata.plan', tests: [{ operator: '$ne', operand: 'x' }] };
  const { conditions, places } = toConditions({ ...found, members: [first, second, newGroup('all')] });
  assert.deepEqual(conditions, { $and: [{ 'metadata.plan': 'pro' }, { 'metadata.plan': { $ne: 'x' } }, { 'metadata.': '' }] });
  assert.deepEqual(places.get(second.key), ['$and', '1', 'metadata.plan']);
});

test('nodes change and go', () => {
  const found = form({ $or: [{ 'metadata.a': 1 }, { 'metadata.b': 2 }] });
  const [group] = found.members as [Group];
  const [a, b] = group.members as [Row, Row];
  const changed = replaced(replaced(found, a.key, { ...a, path: 'body.a' }), b.key, null);
  assert.deepEqual(toConditions(changed).conditions, { $or: [{ 'body.a': 1 }] });
  const joined: Node = { ...group, join: '$not' };
  assert.deepEqual(toConditions(replaced(found, group.key, joined)).conditions, { $not: { 'metadata.a': 1, 'metadata.b': 2 } });
});

test('another operator keeps the operand where it can', () => {
  const pro = { operator: '$eq', operand: 'pro' } as const;
  assert.deepEqual(withOperator(pro, '$in'), { operator: '$in', operand: ['pro'] });
  assert.deepEqual(withOperator(withOperator(pro, '$in'), '$ne'), { operator: '$ne', operand: 'pro' });
  assert.deepEqual(withOperator(pro, '$exists'), { operator: '$exists', operand: true });
  assert.deepEqual(withOperator({ operator: '$exists', operand: true }, '$gt'), { operator: '$gt', operand: '' });
  assert.deepEqual(withOperator({ operator: '$eq', operand: 5 }, '$gte'), { operator: '$gte', operand: 5 });
});

test('the words of the server stand at their row', () => {
  const found = form({ $or: [{ 'body.a': { $gt: true } }, { 'body.b': 1 }] });
  const [group] = found.members as [Group];
  const [a, b] = group.members as [Node, Node];
  const { places } = toConditions(found);
  const problems = [{ path: ['properties', 'conditions', '$or', '1', 'body.b', '$eq'], message: 'wrong' }];
  assert.equal(aboutNode(problems, b, places), 'wrong');
  assert.equal(aboutNode(problems, a, places), undefined);
  assert.equal(aboutNode(problems, group, places), undefined);
  assert.equal(aboutNode([{ path: ['properties', 'conditions', '$or'], message: 'empty' }], group, places), 'empty');
});

test('numbers that a browser would change are found', () => {
  assert.deepEqual(inexact('{"a": 9007199254740993, "b": "9007199254740993", "c": [9007199254740992, 1e300, -12345678901234567]}'), [
    '9007199254740993',
    '-12345678901234567',
  ]);
});
