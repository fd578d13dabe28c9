// Vercel's AI SDK with Cloudflare's own provider for it: its requests are universal ones, with a step for each model.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const { SDK_FOLDER, GATEWAY_URL, ACCOUNT, GATEWAY, TOKEN, KEY, WORDS } = process.env;
const require = createRequire(`${SDK_FOLDER}/`);
const load = (name) => import(pathToFileURL(require.resolve(name)).href);

const { generateText, streamText } = await load('ai');
const { createAiGateway, AiGatewayDoesNotExist, AiGatewayUnauthorizedError } = await load('ai-gateway-provider');
const { createOpenAI } = await load('ai-gateway-provider/providers/openai');
const { createAnthropic } = await load('ai-gateway-provider/providers/anthropic');
const { createGoogle, createGoogleGenerativeAI } = await load('ai-gateway-provider/providers/google');
const { createUnified } = await load('ai-gateway-provider/providers/unified');

const CLOUDFLARE = 'https://gateway.ai.cloudflare.com/v1/';
const plain = globalThis.fetch;
let answered;
globalThis.fetch = async (url, options) => {
  assert.ok(String(url).startsWith(CLOUDFLARE), `a request to ${url}`);
  answered = await plain(String(url).replace(CLOUDFLARE, GATEWAY_URL), options);
  return answered;
};

const connect = (more = {}) =>
  createAiGateway({ accountId: ACCOUNT, gateway: GATEWAY, apiKey: TOKEN, ...more });
const gateway = connect();
const openai = createOpenAI({ apiKey: KEY });
const anthropic = createAnthropic({ apiKey: KEY });
const google = (createGoogleGenerativeAI ?? createGoogle)({ apiKey: KEY });
const ask = (model, more = {}) => generateText({ model, prompt: 'Say hello.', maxRetries: 0, ...more });

for (const [name, model, words] of [
  ['openai', () => openai.chat('ok'), 'Hello there, how are you?'],
  ['anthropic', () => anthropic('claude-text'), WORDS],
  ['google', () => google('gemini-text'), WORDS],
]) {
  test(`${name}: a text`, async () => {
    const { text, usage } = await ask(gateway(model()));
    assert.equal(text, words);
    assert.equal(usage.outputTokens, 10);
    assert.equal(answered.headers.get('cf-aig-step'), '0');
  });

  test(`${name}: a stream`, async () => {
    let text = '';
    for await (const piece of streamText({ model: gateway(model()), prompt: 'Say hello.', maxRetries: 0 }).textStream) {
      text += piece;
    }
    assert.equal(text, words);
  });
}

test('the next model answers where the first one fails', async () => {
  const { text } = await ask(gateway([anthropic('claude-error'), google('gemini-text')]));
  assert.equal(text, WORDS);
  assert.equal(answered.headers.get('cf-aig-step'), '1');
});

test('the unified models', async () => {
  const unified = createUnified({ apiKey: KEY });
  const { text } = await ask(gateway(unified('anthropic/claude-text')));
  assert.equal(text, WORDS);
});

test('options travel as headers', async () => {
  const options = { cacheTtl: 300, metadata: { user: 'u1', turn: 2 }, collectLog: true, eventId: 'event-1' };
  const cached = connect({ options: { ...options, retries: { maxAttempts: 2, retryDelayMs: 1, backoff: 'constant' } } });
  await ask(cached(openai.chat('ok')));
  assert.equal(answered.headers.get('cf-aig-cache-status'), 'MISS');
  assert.equal(answered.headers.get('cf-aig-event-id'), 'event-1');
  await ask(cached(openai.chat('ok')));
  assert.equal(answered.headers.get('cf-aig-cache-status'), 'HIT');
});

test('a gateway that does not exist', async () => {
  await assert.rejects(ask(connect({ gateway: 'nowhere' })(openai.chat('ok'))), AiGatewayDoesNotExist);
});

test('a token that may not pass', async () => {
  const closed = connect({ gateway: `${GATEWAY}-closed`, apiKey: 'not-a-token-of-this-gateway' });
  await assert.rejects(ask(closed(openai.chat('ok'))), AiGatewayUnauthorizedError);
});
