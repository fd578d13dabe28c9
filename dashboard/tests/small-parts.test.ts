// Figures, filters and shell quoting.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { pricesInWords, readPrices, shifted, writePrices } from '../src/account/prices.ts';
import { test } from 'node:test';
import { hexRows, readBytes } from '../src/logs/body-text.ts';
import { quoted } from '../src/logs/curl.ts';
import { fitsDataset, groupOf, isCriterion, worded } from '../src/logs/filter-keys.ts';
import { labelled, runsOf, ticksOf } from '../src/overview/scale.ts';
import { differences, likeness } from '../src/parts/diff.ts';
import { dollars, milliseconds, percent, sentMoment } from '../src/parts/format.ts';

test('dollars keep the digits that matter, and unknown is not zero', () => {
  assert.deepEqual([null, 0, '0', 0.000000123, '0.000663', 0.0022, 0.05, 0.5, 1, 1234.5, -0.002].map(dollars), [
    '–',
    '$0',
    '$0',
    '$0.000000123',
    '$0.000663',
    '$0.0022',
    '$0.05',
    '$0.50',
    '$1.00',
    '$1,234.50',
    '−$0.002',
  ]);
});

test('a moment is sent in UTC, and what is none as it was typed', () => {
  assert.equal(sentMoment('2026-12-24T18:00'), new Date(2026, 11, 24, 18).toISOString());
  assert.equal(sentMoment('12345-01-01T00:00'), '12345-01-01T00:00');
});

test('times and shares', () => {
  assert.deepEqual([null, 0, 999, 1000, 12_345, 61_000].map(milliseconds), ['–', '0 ms', '999 ms', '1.00 s', '12.3 s', '1 min 1 s']);
  assert.deepEqual([percent(null), percent(12.345)], ['–', '12.3 %']);
});

test('a shell takes nothing in a quoted text for more than text', () => {
  for (const text of ["it's", '$(id) `id` "x" \\', 'two\nlines', "a\u001b[201~'\r\tb\\'", 'ü 中']) {
    const out = execFileSync('bash', ['-c', `printf %s ${quoted(text)}`], {
      encoding: 'utf-8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
    assert.equal(out, text);
  }
  assert.doesNotMatch(quoted('a\u001b[201~\u0003'), /[\u0000-\u0009\u000b-\u001f]/); // nothing that a terminal acts on
});

test('which filters a dataset can have', () => {
  const filter = (key: string, operator: string, value: (string | number | null)[]) => ({ key, operator, value });
  assert.equal(fitsDataset(filter('model', 'eq', ['a'])), true);
  assert.equal(fitsDataset(filter('feedback', 'eq', [null])), true);
  assert.equal(fitsDataset(filter('model', 'neq', ['a'])), true);
  assert.equal(fitsDataset(filter('metadata.team', 'eq', ['a'])), true);
  assert.equal(fitsDataset(filter('dlp_action', 'eq', ['a'])), false);
  assert.equal(worded(filter('metadata.team', 'neq', ['a'])), 'Metadata “team” is not a');
  assert.equal(worded(filter('response_body', 'not_contains', ['sorry'])), 'Response body does not contain sorry');
  assert.equal(fitsDataset(filter('cost', 'eq', [null])), false);
  assert.equal(worded(filter('duration', 'gt', [100])), 'Duration more than 100 ms');
});

test('groups of filters are told in words and belong to datasets as a whole', () => {
  const model = (value: string) => ({ key: 'model', operator: 'eq', value: [value] });
  const dlp = { key: 'dlp_action', operator: 'eq', value: ['a'] };
  const group = { any_of: [model('a'), { all_of: [model('b'), { none_of: [model('c'), model('d')] }] }] };
  assert.equal(worded(group), '(Model is a or (Model is b and not (Model is c or Model is d)))');
  assert.equal(fitsDataset(group), true);
  assert.equal(fitsDataset({ any_of: [model('a'), { none_of: [dlp] }] }), false);
  assert.deepEqual(groupOf(group)?.join, 'any_of');
  assert.equal(groupOf(model('a')), undefined);
  assert.deepEqual([group, model('a'), { any_of: [] }].map(isCriterion), [true, true, true]);
  const wrong = [null, 'model', {}, { any_of: 'a' }, { any_of: [null] }, { one_of: [] }, { key: 'model', operator: 'eq' }];
  assert.deepEqual(wrong.filter(isCriterion), []);
});

test('binary bodies are told from text', () => {
  assert.equal(readBytes(new Uint8Array([0, 1, 2, 255, 254])).binary, true);
  assert.equal(readBytes(new TextEncoder().encode('Grüße, 中文')).binary, false);
  assert.equal(hexRows(new Uint8Array([65, 0])), '000000  41 00                                            A.');
});

test('prices are exact on the way there and back', () => {
  assert.equal(shifted('0.25', -6), '0.00000025');
  assert.equal(shifted('2.5e-7', 6), '0.25');
  assert.equal(shifted('1E-7', 6), '0.1');
  assert.equal(shifted('15', -6), '0.000015');
  assert.equal(shifted('0', -6), '0');
  assert.equal(shifted('0.000000000000000000000000000000000123456789', 6), '0.000000000000000000000000000123456789');
  assert.equal(shifted('1234567.5', -6), '1.2345675');
  for (const odd of ['', '.', 'a lot', '-1', '1,5', 'NaN']) assert.equal(shifted(odd, 6), odd);
  const kept = '{"input_tokens": 0.0000002, "output_tokens": 6E-7, "input_image_count": 0.04}';
  assert.deepEqual(readPrices(kept), { input_tokens: '0.2', output_tokens: '0.6', input_image_count: '0.04' });
  assert.deepEqual(writePrices({ ...readPrices(kept), input_cached_tokens: ' ' }), {
    input_tokens: '0.0000002',
    output_tokens: '0.0000006',
    input_image_count: '0.04',
  });
  assert.equal(pricesInWords(kept), 'input $0.2/M, output $0.6/M, an input image $0.04');
});

test('the differences of two texts put both together again', () => {
  const spans = (before: string, after: string) => {
    const found = differences(before, after);
    assert(found);
    assert.equal(
      found
        .filter((one) => one.kind !== 'new')
        .map((one) => one.text)
        .join(''),
      before,
    );
    assert.equal(
      found
        .filter((one) => one.kind !== 'gone')
        .map((one) => one.text)
        .join(''),
      after,
    );
    return found;
  };
  assert.deepEqual(spans('It takes four days.', 'It takes six days.'), [
    { kind: 'same', text: 'It takes ' },
    { kind: 'gone', text: 'four' },
    { kind: 'new', text: 'six' },
    { kind: 'same', text: ' days.' },
  ]);
  assert.deepEqual(spans('', ''), []);
  assert.deepEqual(spans('same', 'same'), [{ kind: 'same', text: 'same' }]);
  assert.deepEqual(spans('', 'new'), [{ kind: 'new', text: 'new' }]);
  assert.equal(Math.round(likeness(spans('a b c d', 'a b c e'))), 75);
  let seed = 7;
  const dice = (sides: number) => (seed = (seed * 48_271) % 2_147_483_647) % sides;
  const text = () => Array.from({ length: dice(40) }, () => ['a', 'b', ' ', 'grüße', '日', '.', '\n', '<b>'][dice(8)]).join('');
  for (let round = 0; round < 300; round += 1) spans(text(), text());
});

test('texts that are too long or too different are not compared', () => {
  const words = (name: string, number: number) => Array.from({ length: number }, (_, at) => `${name}${at}`).join(' ');
  assert.equal(differences('x'.repeat(100_001), 'y'), null);
  assert.equal(differences(words('a', 3_000), words('b', 3_000)), null);
  assert.equal(differences(words('a', 9_000), words('a', 9_000).replace('a77 ', 'other '))?.length, 4);
});

test('axes have round steps that hold the most', () => {
  assert.deepEqual(ticksOf(0), [0, 1]);
  assert.deepEqual(ticksOf(Number.NaN), [0, 1]);
  assert.deepEqual(ticksOf(37), [0, 10, 20, 30, 40]);
  assert.deepEqual(ticksOf(0.00031), [0, 0.0001, 0.0002, 0.0003, 0.0004]);
  for (const most of [1, 3, 7.2, 99, 100, 101, 12_345, 1e-9, 1e12]) {
    const ticks = ticksOf(most);
    assert(ticks.length >= 3 && ticks.length <= 6 && (ticks.at(-1) ?? 0) >= most, String(most));
  }
  assert.deepEqual(labelled(6, 600, 84), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(labelled(24, 240, 84), [0, 9, 18]);
  assert.deepEqual(runsOf([1, null, 2, 3, null]), [[0], [2, 3]]);
});
