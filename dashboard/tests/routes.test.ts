// Dynamic routes as they are drawn and edited.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  about,
  conditionsInWords,
  described,
  type Element,
  inserted,
  isSame,
  newElement,
  plainRoute,
  problemsOf,
  span,
  summary,
  toDrafts,
  toElements,
  without,
} from '../src/routes/elements.ts';
import { layOut, pathOf, WIDTH } from '../src/routes/layout.ts';

const to = (elementId: string) => ({ elementId });
const ROUTE: Element[] = [
  { id: 'start', type: 'start', outputs: { next: to('paying?') } },
  {
    id: 'paying?',
    type: 'conditional',
    properties: { conditions: { 'metadata.plan': { $in: ['pro', 'team'] } } },
    outputs: { true: to('large'), false: to('daily') },
  },
  {
    id: 'daily',
    type: 'rate',
    properties: { limitType: 'count', key: 'metadata.customer', limit: 10, window: 86_400 },
    outputs: { success: to('large'), fallback: to('small') },
  },
  {
    id: 'large',
    type: 'model',
    properties: { provider: 'openai', model: 'gpt-5', timeout: 30_000, retries: 1 },
    outputs: { success: to('end'), fallback: to('small') },
  },
  {
    id: 'small',
    type: 'model',
    properties: { provider: 'openai', model: 'gpt-5-mini', timeout: 30_000, retries: 1 },
    outputs: { success: to('end'), fallback: to('end') },
  },
  { id: 'end', type: 'end', outputs: {} },
];
const named = (drafts: ReturnType<typeof toDrafts>, id: string) => {
  const found = drafts.find((one) => one.id === id);
  assert(found, id);
  return found;
};

test('what comes from the server goes back as it was', () => {
  const { elements, problems } = toElements(toDrafts(ROUTE));
  assert.deepEqual(problems, []);
  assert.deepEqual(
    JSON.parse(JSON.stringify(elements)),
    ROUTE.map((one) => ({ ...one })),
  );
  assert(isSame(toDrafts(ROUTE), toDrafts(ROUTE)));
});

test('an id that is another one on the way leads nothing elsewhere', () => {
  const drafts = toDrafts(ROUTE);
  const renamed = drafts.map((one) => (one.id === 'small' ? { ...one, id: 'large' } : one));
  const { elements } = toElements(renamed);
  assert.equal(elements.filter((one) => one.id === 'large').length, 2); // which the server refuses
  const back = renamed.map((one, at) => (at === 4 ? { ...one, id: 'tiny' } : one));
  assert.equal(toElements(back).elements[3]?.outputs?.fallback?.elementId, 'tiny');
});

test('two equal shares are both sent', () => {
  const drafts = plainRoute();
  const [start, model, end] = drafts as [(typeof drafts)[0], (typeof drafts)[0], (typeof drafts)[0]];
  const shares = {
    ...newElement('percentage', drafts, end.key),
    ways: ['25%', '25%', '25%', '2.5%', '2.5%', 'else'].map((label) => ({ label, to: model.key })),
  };
  const { elements } = toElements([start, shares, model, end]);
  assert.deepEqual(Object.keys(elements[1]?.outputs ?? {}), ['25%', '25.0%', '25.00%', '2.5%', '2.50%', 'else']);
});

test('what cannot be sent is said, with its place', () => {
  const drafts = toDrafts(ROUTE).map((one) =>
    one.kind === 'conditional' ? { ...one, conditions: '{"a"', ways: [{ label: 'true', to: null }, ...one.ways.slice(1)] } : one,
  );
  const { problems } = toElements(drafts);
  assert.deepEqual(
    problems.map(({ index, path }) => [index, path.join('.')]),
    [
      [1, 'outputs.true.elementId'],
      [1, 'properties.conditions'],
    ],
  );
});

test('words of the server go to their element', () => {
  const problems = problemsOf([
    { message: 'Expected a whole number', path: ['body', 'elements', 2, 'properties', 'limit'] },
    { message: 'No start', path: ['body', 'elements'] },
    { message: 'Taken', path: ['body', 'name'] },
  ]);
  assert.deepEqual(
    problems.map((one) => one.index),
    [2, -1, -1],
  );
  assert.equal(about(problems.slice(0, 1), 'properties', 'limit'), 'Expected a whole number');
  assert.equal(about(problems.slice(0, 1), 'properties', 'key'), undefined);
});

test('an element is put into a way and taken out again', () => {
  const drafts = toDrafts(ROUTE);
  const { drafts: more, added } = inserted(drafts, named(drafts, 'paying?').key, 1, 'model');
  assert.equal(toElements(more).elements[1]?.outputs?.false?.elementId, added.id);
  assert.deepEqual(
    added.ways.map((way) => more.find((one) => one.key === way.to)?.id),
    ['end', 'daily'],
  );
  assert(isSame(without(more, added.key), drafts));
  const gone = without(drafts, named(drafts, 'paying?').key);
  assert.equal(gone[0]?.ways[0]?.to, null); // it went two ways: somebody has to say which
});

test('a model that answered leads to an end only, whatever is taken out', () => {
  const drafts = toDrafts(ROUTE);
  const second = newElement('end', drafts, null);
  const large = named(drafts, 'large');
  const changed = [
    ...drafts.map((one) => (one === large ? { ...large, ways: [{ label: 'success', to: second.key }, ...large.ways.slice(1)] } : one)),
    second,
  ];
  assert.equal(without(changed, second.key).find((one) => one.id === 'large')?.ways[0]?.to, null);
});

test('elements in words', () => {
  const drafts = toDrafts(ROUTE);
  assert.equal(summary(named(drafts, 'daily')), '10 requests a day each metadata.customer');
  assert.equal(summary(named(drafts, 'paying?')), 'metadata.plan in "pro", "team"');
  assert.equal(described(named(drafts, 'small'), drafts), 'answered leads to end; failed leads to end; reached from daily, large');
  assert.equal(span(90), '90 seconds');
  assert.equal(
    conditionsInWords({ $or: [{ a: null }, { b: { $exists: false } }], c: { $not: { $regex: 'x' } } }),
    '(a = null) or (b is not there) and c not matches "x"',
  );
  assert.equal(conditionsInWords([]), 'no conditions that can be read');
});

test('columns follow the longest way, and nothing overlaps', () => {
  const drafts = toDrafts(ROUTE);
  const { elements, lines, width, height } = layOut(drafts);
  const x = Object.fromEntries(elements.map((place, index) => [drafts[index]?.id, place.x]));
  assert(x.start === 0 && x.start < x['paying?'] && x['paying?'] < x.daily && x.daily < x.large && x.large < x.small && x.small < x.end);
  for (const one of elements) {
    assert(one.y >= 0 && one.y + one.height <= height && one.x < width);
    for (const other of elements)
      assert(one === other || one.x !== other.x || one.y + one.height <= other.y || other.y + other.height <= one.y);
  }
  assert.equal(lines.length, 9);
  for (const line of lines) {
    assert.match(pathOf(line.points), /^M\d+ \d+( C[-\d. ]+)+$/);
    for (const place of elements) {
      if (place.key === line.from || place.key === line.to) continue;
      for (const [px, py] of line.points) assert(!(px >= place.x && px <= place.x + WIDTH && py > place.y && py < place.y + place.height));
    }
  }
});

test('a draft may have loops, no start, elements that nothing leads to, or nothing at all', () => {
  const drafts = toDrafts(ROUTE);
  const looping = drafts.map((one) =>
    one.id === 'small' ? { ...one, ways: [one.ways[0], { label: 'fallback', to: named(drafts, 'paying?').key }] as typeof one.ways } : one,
  );
  assert.equal(layOut(looping).lines.length, 9);
  assert.equal(layOut(drafts.slice(1)).elements.length, 5);
  assert.equal(layOut([...drafts, newElement('model', drafts, null)]).elements.length, 7);
  assert.deepEqual(layOut([]).elements, []);
});
