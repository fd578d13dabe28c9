// The SDK and what the tests are told about the server.
import { createRequire } from 'node:module';

const { SDK_FOLDER, BASE_URL, TOKEN } = process.env;
const require = createRequire(`${SDK_FOLDER}/`);

export const Cloudflare = require('cloudflare').default;
export const { ACCOUNT, READER, GATEWAY } = process.env;
export const LOGS = JSON.parse(process.env.LOGS);
export const account = { account_id: ACCOUNT };
export const place = { account_id: ACCOUNT, gateway_id: GATEWAY };

/** Query strings that the client sent, in order. */
export const sent = [];

export function connect(credentials = { apiToken: TOKEN }) {
  return new Cloudflare({
    ...credentials,
    baseURL: BASE_URL,
    maxRetries: 0,
    fetch: (url, options) => {
      sent.push([...new URL(url).searchParams]);
      return fetch(url, options);
    },
  });
}

export const client = connect();

export async function all(pager) {
  const items = [];
  for await (const item of pager) items.push(item);
  return items;
}

/** What a call that must fail fails with. */
export async function failure(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the call succeeded');
}
