// Logged bodies read as conversations. Run by `make test`, or: node --test dashboard/tests/
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Piece, readAnswer, readRequest, type Turn } from '../src/logs/conversation.ts';

const text = (value: string): Piece => ({ kind: 'text', text: value });
const said = (role: string, ...pieces: Piece[]): Turn => ({ role, pieces });
const sse = (...events: unknown[]) => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');

test('an OpenAI request with tools and an image', () => {
  const picture = 'data:image/png;base64,AAAA';
  assert.deepEqual(
    readRequest({
      messages: [
        { role: 'system', content: 'Be kind.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url: picture } },
          ],
        },
        { role: 'assistant', content: null, tool_calls: [{ id: 'c1', function: { name: 'look', arguments: '{"at":1}' } }] },
        { role: 'tool', tool_call_id: 'c1', content: 'a cat' },
      ],
    }),
    [
      said('system', text('Be kind.')),
      said('user', text('What is it?'), { kind: 'image', source: picture }),
      said('assistant', { kind: 'call', name: 'look', input: '{\n  "at": 1\n}', id: 'c1' }),
      said('tool', { kind: 'result', text: 'a cat', id: 'c1' }),
    ],
  );
});

test('an Anthropic request', () => {
  assert.deepEqual(
    readRequest({
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [
        { role: 'user', content: 'Hi' },
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm' },
            { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 'done' }] }] },
        { role: 'user', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QQ==' } }] },
      ],
    }),
    [
      said('system', text('Be brief.')),
      said('user', text('Hi')),
      said('assistant', { kind: 'thinking', text: 'hm' }, { kind: 'call', name: 'f', input: '{\n  "a": 1\n}', id: 't' }),
      said('user', { kind: 'result', text: 'done', id: 't' }),
      said('user', { kind: 'image', source: 'data:image/png;base64,QQ==' }),
    ],
  );
});

test('Gemini, Responses and plain prompts', () => {
  assert.deepEqual(readRequest({ systemInstruction: { parts: [{ text: 'S' }] }, contents: [{ role: 'user', parts: [{ text: 'Q' }] }] }), [
    said('system', text('S')),
    said('user', text('Q')),
  ]);
  assert.deepEqual(readRequest({ instructions: 'I', input: 'Q' }), [said('system', text('I')), said('user', text('Q'))]);
  assert.deepEqual(readRequest({ input: [{ type: 'function_call_output', call_id: 'c', output: 'R' }] }), [
    said('tool', { kind: 'result', text: 'R', id: 'c' }),
  ]);
  assert.deepEqual(readRequest({ prompt: 'P' }), [said('user', text('P'))]);
});

test('whole answers', () => {
  const answer = (body: unknown) => readAnswer(JSON.stringify(body));
  assert.deepEqual(answer({ choices: [{ message: { role: 'assistant', content: 'A' } }] }), [said('assistant', text('A'))]);
  assert.deepEqual(answer({ role: 'assistant', content: [{ type: 'text', text: 'A' }] }), [said('assistant', text('A'))]);
  assert.deepEqual(answer({ candidates: [{ content: { role: 'model', parts: [{ text: 'A' }] } }] }), [said('assistant', text('A'))]);
  assert.deepEqual(answer({ output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'A' }] }] }), [
    said('assistant', text('A')),
  ]);
  assert.deepEqual(answer({ error: { message: 'No.' } }), [said('error', text('No.'))]);
});

test('streamed answers are put together', () => {
  const delta = (content: object) => ({ choices: [{ index: 0, delta: content }] });
  assert.deepEqual(
    readAnswer(
      `${sse(
        delta({ role: 'assistant', content: '' }),
        delta({ content: 'Hel' }),
        delta({ content: 'lo' }),
        delta({ tool_calls: [{ index: 0, id: 'c', function: { name: 'f', arguments: '' } }] }),
        delta({ tool_calls: [{ index: 0, function: { arguments: '{"a":' } }] }),
        delta({ tool_calls: [{ index: 0, function: { arguments: '1}' } }] }),
      )}data: [DONE]\n\n`,
    ),
    [said('assistant', text('Hello'), { kind: 'call', name: 'f', id: 'c', input: '{\n  "a": 1\n}' })],
  );
  assert.deepEqual(
    readAnswer(
      'event: content_block_start\n' +
        sse(
          { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
          { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
          { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
        ),
    ),
    [said('assistant', text('Hi')), said('error', text('Overloaded'))],
  );
  const part = (text: string) => ({ candidates: [{ content: { parts: [{ text }] } }] });
  assert.deepEqual(readAnswer(sse(part('A'), part('B'))), [said('assistant', text('AB'))]);
  assert.deepEqual(readAnswer(JSON.stringify([part('A'), part('B')])), [said('assistant', text('AB'))]);
  assert.deepEqual(
    readAnswer(sse({ type: 'response.output_text.delta', delta: 'A' }, { type: 'response.output_text.delta', delta: 'B' })),
    [said('assistant', text('AB'))],
  );
});

test('what is not a conversation is none, and nothing makes it fail', () => {
  const odd: unknown[] = [
    null,
    1,
    'x',
    [],
    {},
    { messages: 'x' },
    { messages: [null, 1, [], { role: 5, content: 7 }] },
    { messages: [{ role: 'user', content: [null, 3, { type: {} }, { image_url: 5 }] }] },
    { input: [[[]]] },
    { contents: [{ parts: 'x' }] },
    { system: 9 },
  ];
  for (const body of odd) {
    readRequest(body);
    readAnswer(JSON.stringify(body));
    readAnswer(
      sse(body, { choices: [body] }, { choices: [{ delta: body }] }, { candidates: [body] }, { type: 'content_block_delta', delta: body }),
    );
  }
  assert.deepEqual(readAnswer(''), []);
  assert.deepEqual(readAnswer('data: {broken\n\n'), []);
  assert.deepEqual(readAnswer('<html>502</html>'), []);
});
