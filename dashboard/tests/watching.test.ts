// Monitors: what a window says, how often it looks, and a monitor that is sent again as it was.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Check, Finding, Monitor, Window } from '../src/api/monitors.ts';
import { bodyOf, draftOf, fieldsOf, missingOf, newDraft } from '../src/monitors/draft.ts';
import { pointsOf, raisedOf, rangeOf, told, toldOf } from '../src/monitors/findings.ts';
import { alphaOf, endOfWindow, everyInWords, inPerCent, pValue, secondsInWords } from '../src/monitors/schedule.ts';
import { ticksBetween } from '../src/overview/scale.ts';

function check(finding: Finding, difference: number | null = null, type = 'human_feedback'): Check {
  const reference = difference === null ? null : 80;
  return {
    evaluation_type_id: type,
    finding,
    raised: false,
    words: '',
    figure: reference === null || difference === null ? null : reference + difference,
    reference_figure: reference,
    difference,
    low: difference === null ? null : difference - 25,
    high: difference === null ? null : difference + 25,
    unit: '%',
    logs: 40,
    reference_logs: 200,
    p_value: null,
    adjusted_p: null,
  };
}

const window = (finding: Finding | null, checks: Check[]) => ({ id: 'w', finding, checks }) as Window;

test('what may be chance is told apart by which way it points', () => {
  assert.equal(told(check('cannot tell', -5), 'higher').label, 'cannot tell');
  assert.equal(told(check('cannot tell', 5), 'higher').label, 'no sign of getting worse');
  assert.equal(told(check('cannot tell', 0), 'lower').label, 'no sign of getting worse');
  assert.equal(told(check('cannot tell', 5), 'lower').label, 'cannot tell');
  assert.equal(told(check('cannot tell'), 'higher').label, 'cannot tell'); // no test is possible
  assert.equal(told(check('cannot tell', 5), 'neither').label, 'cannot tell'); // nobody knows yet which way is good
});

test('no finding looks like another, and only what is fine looks so', () => {
  const all: Finding[] = ['worse', 'failed', 'cap reached', 'no logs', 'not enough logs', 'no reference', 'not compared', 'better'];
  const found = [...all, 'worse within the margin' as const].map((one) => told(check(one), 'higher'));
  assert.equal(new Set(found.map((one) => one.label)).size, found.length);
  assert.deepEqual(
    found.filter((one) => one.colour === 'gauge').map((one) => one.label),
    ['better than before'],
  );
});

test('a window says the first thing to look at; doubt about one question is doubt', () => {
  const directionOf = () => 'higher' as const;
  assert.equal(toldOf(window(null, []), directionOf), null);
  assert.equal(toldOf(window('failed', []), directionOf)?.label, 'failed');
  assert.equal(toldOf(window('worse', [check('better', 5), check('worse', -50)]), directionOf)?.label, 'worse than before');
  const doubtful = window('cannot tell', [check('cannot tell', 5), check('cannot tell', -5)]);
  assert.equal(toldOf(doubtful, directionOf)?.label, 'cannot tell');
  const fine = window('cannot tell', [check('cannot tell', 5), check('better', 40)]);
  assert.equal(toldOf(fine, directionOf)?.label, 'no sign of getting worse');
});

test('windows are drawn from the oldest on, and no figure is no zero', () => {
  const points = pointsOf([window('cannot tell', [check('cannot tell', -10)]), window('no logs', [check('no logs')])], 'human_feedback');
  assert.deepEqual(
    points.map(({ figure, reference, low, high }) => [figure, reference, low, high]),
    [
      [null, null, null, null],
      [70, 80, 45, 95],
    ],
  );
  assert.deepEqual(rangeOf(points, '%'), [45, 95]);
  assert.deepEqual(rangeOf(pointsOf([window('better', [check('better', 15)])], 'human_feedback'), '%'), [70, 100]);
  assert.deepEqual(rangeOf([], '%'), [0, 1]);
  assert.deepEqual(ticksBetween(45, 95), [40, 60, 80, 100]);
  assert.deepEqual(ticksBetween(-0.3, 0.2), [-0.4, -0.2, 0, 0.2]);
  for (const [low, high] of [
    [1210, 1390],
    [0.00155, 0.00183],
    [5, 5],
    [0, 0],
    [-3, -3],
  ] as const) {
    const ticks = ticksBetween(low, high);
    assert(ticks.length >= 2 && ticks.length <= 7 && (ticks[0] ?? 1) <= low && (ticks.at(-1) ?? 0) >= high, `${low} ${ticks}`);
  }
});

test('how often, how soon, and how sure', () => {
  assert.deepEqual([1, 5, 60, 90, 360, 1440, 10_080].map(everyInWords), [
    'every minute',
    'every 5 minutes',
    'every hour',
    'every 90 minutes',
    'every 6 hours',
    'every day',
    'every week',
  ]);
  assert.deepEqual([0, 1, 60, 90, 3600, 86_400].map(secondsInWords), [
    '0 seconds',
    '1 second',
    'a minute',
    '90 seconds',
    'an hour',
    'a day',
  ]);
  assert.deepEqual([1, 0.125, 0.05, 0.0125].map(inPerCent), ['100 %', '12.5 %', '5 %', '1.25 %']);
  assert.equal(endOfWindow(60, Date.UTC(2026, 10, 27, 10, 5)), Date.UTC(2026, 10, 27, 11));
  assert.equal(endOfWindow(10_080, Date.UTC(2026, 10, 27)), Date.UTC(2026, 11, 3)); // weeks end on Thursdays
  assert.equal(Number(alphaOf(0.05, 60).toPrecision(4)), 0.000289);
  assert.equal(alphaOf(0.05, 10_080), 0.05 / 6);
  assert.deepEqual([1, 0.0026041, 0.0001, 4.6e-6].map(pValue), ['1', '0.0026', '0.0001', '4.60 × 10⁻⁶']);
});

const KEPT: Monitor = {
  id: 'm',
  name: 'quality',
  created_at: '',
  modified_at: '',
  enabled: true,
  interval_minutes: 1440,
  settle_seconds: 0,
  datasets: [
    { id: 'd', name: 'a', enable: true, filters: [{ key: 'model', operator: 'eq', value: ['x'] }], created_at: '', modified_at: '' },
  ],
  evaluation_type_ids: ['human_feedback', 'cost'],
  share: 0.123456789012345,
  max_items: 200,
  daily_max_cost: '0.000000000001',
  spent_today: '0',
  reference_windows: 7,
  baseline_evaluation_id: null,
  min_logs: 30,
  cluster_by: 'metadata.user',
  weekly_alpha: 0.05,
  alpha: 0.0042,
  margins: { human_feedback: { amount: 2.5, unit: 'absolute' } },
  webhook: { url: 'https://hooks.example/x' },
  notify_on_failure: true,
  keep_windows: 100,
  counted_until: '',
  next_at: null,
  open_window_id: null,
  raised: ['worse:human_feedback', 'no logs:a:b'],
};

test('a monitor that nobody changed is sent again as it was, to the last digit', () => {
  assert.deepEqual(bodyOf(draftOf(KEPT), KEPT), {
    name: 'quality',
    enabled: true,
    filters: [{ key: 'model', operator: 'eq', value: ['x'] }],
    evaluation_type_ids: ['human_feedback', 'cost'],
    interval_minutes: 1440,
    settle_seconds: 0,
    share: 0.123456789012345,
    max_items: 200,
    daily_max_cost: 1e-12,
    reference_windows: 7,
    baseline_evaluation_id: null,
    min_logs: 30,
    cluster_by: 'metadata.user',
    weekly_alpha: 0.05,
    margins: { human_feedback: { amount: 2.5, unit: 'absolute' } },
    webhook: { url: 'https://hooks.example/x' }, // without a secret it keeps the one that it has
    notify_on_failure: true,
    keep_windows: 100,
  });
  const [one] = KEPT.datasets;
  const two = { ...KEPT, datasets: [one, { ...one, id: 'e' }] } as Monitor;
  const { filters, dataset_ids } = bodyOf(draftOf(two), two);
  assert.deepEqual([filters, dataset_ids], [undefined, ['d', 'e']]);
  assert.deepEqual(raisedOf(KEPT), [
    { finding: 'worse', type: 'human_feedback' },
    { finding: 'no logs', type: 'a:b' },
  ]);
});

test('what is typed is what is asked for, and what is missing is said', () => {
  const draft = { ...newDraft(), name: ' q ', types: ['cost'] };
  assert.equal(missingOf(draft), null);
  const { name, share, webhook, max_items, daily_max_cost, filters, dataset_ids } = bodyOf({ ...draft, share: 7, secret: 'left over' });
  assert.deepEqual([name, share, webhook], ['q', 0.07, null]);
  assert.deepEqual([max_items, daily_max_cost, filters, dataset_ids], [undefined, undefined, undefined, undefined]); // the server's to choose
  assert.deepEqual(
    bodyOf({ ...draft, source: 'datasets', datasets: ['d'], filters: [{ key: 'x', operator: 'eq', value: [] }] }).dataset_ids,
    ['d'],
  );
  for (const change of [{ name: ' ' }, { types: [] }, { source: 'datasets' as const }, { against: 'baseline' as const }, { minutes: '' }])
    assert.notEqual(missingOf({ ...draft, ...change }), null);
});

test('a refusal stands at its field only where that field is shown', () => {
  const kept = draftOf(KEPT);
  assert.equal(fieldsOf(kept).includes('dataset_ids'), false);
  assert.equal(fieldsOf({ ...kept, source: 'datasets' }).includes('dataset_ids'), true);
  assert.equal(fieldsOf({ ...kept, source: 'filters' }).includes('filters'), true);
  assert.equal(fieldsOf({ ...kept, against: 'baseline' }).includes('reference_windows'), false);
});
