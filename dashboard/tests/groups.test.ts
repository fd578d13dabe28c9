// Groups of filters: whatever is changed in them, everything else stays exactly as it came.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Criterion } from '../src/api/types.ts';
import { groupOf, isCriterion, isExact, isFormable, JOINS } from '../src/logs/filter-keys.ts';
import { added, DEEPEST, emptyGroups, grouped, type Place, placeInWords, rejoined, replaced } from '../src/logs/groups.ts';

const model = (...value: string[]): Criterion => ({ key: 'model', operator: 'eq', value });

/** The same numbers from 0 to 1 for the same seed. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function pick<T>(roll: () => number, of: readonly T[]): T {
  return of[Math.floor(roll() * of.length)] as T;
}

const FILTERS: unknown[] = [
  { key: 'response_body', operator: 'not_contains', value: ['as an AI, I', ' sorry ', 'Sorry', 'sorry'] },
  { key: 'cost', operator: 'gt', value: [0.000000000001] },
  { key: 'tokens', operator: 'eq', value: [1, 2, 3] },
  { key: 'created_at', operator: 'lt', value: ['2026-11-01T00:00:00.123456Z'] },
  { key: 'success', operator: 'eq', value: [true, false] },
  { key: 'feedback', operator: 'eq', value: [null] },
  { value: ['the', 'order', 'of keys'], operator: 'eq', key: 'metadata.team' },
  { key: 'of a later version', operator: 'like', value: [], 'and more': { of: ['it'] } },
];

function someFilters(roll: () => number, depth: number): Criterion[] {
  return Array.from({ length: 1 + Math.floor(roll() * 3) }, () =>
    depth < DEEPEST && roll() < 0.5 ? grouped(pick(roll, JOINS), someFilters(roll, depth + 1)) : structuredClone(pick(roll, FILTERS)),
  ) as Criterion[];
}

function placesIn(filters: Criterion[], at: Place = []): Place[] {
  return filters.flatMap((one, index) => [[...at, index], ...placesIn(groupOf(one)?.filters ?? [], [...at, index])]);
}

type Loose = Record<string, Loose[]>;

/** The list that a place is in, of a copy that may be changed. */
function listOf(copy: Criterion[], place: Place): Criterion[] {
  let list = copy;
  for (const index of place.slice(0, -1)) list = groupOf(list[index] as Criterion)?.filters as Criterion[];
  return list;
}

test('what is changed somewhere in groups leaves everything else exactly as it was', () => {
  const roll = dice(20261127);
  const done = new Set<string>();
  for (let round = 0; round < 2000; round += 1) {
    const text = JSON.stringify(someFilters(roll, 0)); // as it comes from the API
    const filters = JSON.parse(text) as Criterion[];
    const copy = JSON.parse(text) as Criterion[];
    const place = pick(roll, placesIn(filters));
    const list = listOf(copy, place);
    const last = place.at(-1) as number;
    const group = groupOf(list[last] as Criterion);
    const what = pick(roll, group ? ['replace', 'remove', 'append', 'add', 'rejoin', 'wrap'] : ['replace', 'remove', 'append', 'wrap']);
    let changed: Criterion[];
    if (what === 'remove') {
      changed = replaced(filters, place, null);
      list.splice(last, 1);
    } else if (what === 'add') {
      changed = added(filters, place, model('new'));
      group?.filters.push(model('new'));
    } else if (what === 'append') {
      changed = added(filters, [], model('new'));
      copy.push(model('new'));
    } else {
      const before = list[last] as Criterion;
      const join = pick(roll, JOINS);
      const after = { replace: model('new'), wrap: grouped('any_of', [before]), rejoin: rejoined(before, join) }[what] as Criterion;
      changed = replaced(filters, place, after);
      list[last] = what === 'rejoin' ? ({ [join]: (before as unknown as Loose)[group?.join as string] } as unknown as Criterion) : after;
    }
    assert.equal(JSON.stringify(changed), JSON.stringify(copy)); // to the order of its keys
    assert.equal(JSON.stringify(filters), text); // and nothing was changed under somebody else's hands
    done.add(`${what} ${place.length}`);
  }
  assert.ok(done.size > 25, [...done].join());
});

test('a group becomes another one of the same filters', () => {
  const group = { any_of: [model('a'), { none_of: [model('b')] }] } as Criterion;
  assert.deepEqual(rejoined(group, 'none_of'), { none_of: [model('a'), { none_of: [model('b')] }] });
  assert.equal(rejoined(group, 'any_of'), group);
  assert.equal(rejoined(model('a'), 'any_of').constructor, Object);
  assert.deepEqual(rejoined(model('a'), 'any_of'), model('a'));
});

test('groups without filters are found wherever they are', () => {
  const filters = [model('a'), { any_of: [model('b'), { all_of: [] }] }, { none_of: [] }] as Criterion[];
  assert.deepEqual(emptyGroups(filters).map(placeInWords), ['2.2', '3']);
  assert.deepEqual(emptyGroups(replaced(replaced(filters, [2], null), [1, 1], null)), []);
});

test('a form is offered only for what it shows whole', () => {
  const filter = (key: string, operator: string, ...value: unknown[]) => ({ key, operator, value }) as Criterion;
  const shown = [
    filter('model', 'eq', 'a', 'b'),
    filter('metadata.team', 'not_contains', 'a'),
    filter('request_body', 'contains', 'a, b'),
    filter('duration', 'gt', 100),
    filter('cost', 'lt', 0.1),
    filter('success', 'eq', false),
    filter('feedback', 'neq', 0),
    filter('created_at', 'gt', '2026-11-01'),
  ];
  assert.deepEqual(
    shown.filter((one) => !isFormable(one, true)),
    [],
  );
  const partly = [
    filter('model', 'eq', 'a', null),
    filter('model', 'like', 'a'),
    filter('id', 'gt', 'a', 'b'),
    filter('tokens', 'eq', 1, 2),
    filter('tokens', 'eq', '1'),
    filter('tokens', 'gt', 2 ** 53),
    filter('success', 'eq', true, false),
    filter('feedback', 'eq', null),
    filter('created_at', 'gt', 'last week'),
    filter('later', 'eq', 'a'),
    { any_of: [model('a')] } as Criterion,
  ];
  assert.deepEqual(
    partly.filter((one) => isFormable(one, false)),
    [],
  );
  assert.deepEqual([isFormable(filter('dlp_action', 'eq', 'a'), false), isFormable(filter('dlp_action', 'eq', 'a'), true)], [true, false]);
});

test('numbers that a browser changes are known', () => {
  assert.deepEqual(
    (
      JSON.parse(
        '[{"key":"tokens","operator":"gt","value":[9007199254740993]},{"key":"cost","operator":"gt","value":[0.1]}]',
      ) as Criterion[]
    ).map(isExact),
    [false, true],
  );
  assert.equal(isExact({ any_of: [{ none_of: [{ key: 'tokens', operator: 'eq', value: [2 ** 53] }] }] }), false);
});

test('what the groups of an address hold is looked at', () => {
  assert.equal(isCriterion({ any_of: [model('a'), { key: 'model' }] }), false);
});
