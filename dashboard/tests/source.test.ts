// Python that users write, as the page helps with it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { indentation, lineOf, nextName } from '../src/evaluations/source.ts';

test('a message names its line, or none', () => {
  assert.equal(lineOf("This is no source that can be run: line 12: '(' was never closed"), 12);
  assert.deepEqual(['no line at all', 'deadline 3', '', null, undefined].map(lineOf), Array(5).fill(undefined));
});

test('a new line is indented as the one before, and more after a colon', () => {
  const after = ['', 'x = 1', 'def score(sample):', '    if a:  # why', '\tx = 1', 'a:\n  return {"b": 1}', '    '];
  assert.deepEqual(after.map(indentation), ['', '', '    ', '        ', '\t', '  ', '    ']);
});

test('what comes after a question has a name that is free', () => {
  assert.equal(nextName('one date', ['one date']), 'one date 2');
  assert.equal(nextName('one date 2', ['one date 2', 'one date 3']), 'one date 4');
  assert.equal(nextName('2026', ['2026']), '2026 2');
  assert.equal(nextName('', []), ' 2');
});
