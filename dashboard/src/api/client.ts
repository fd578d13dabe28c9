import createClient from 'openapi-fetch';
import type { paths } from './schema';
import type { Message, PageInfo, Part } from './types';

/** A refusal of the management API, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly errors: { code: number; message: string; path?: (string | number)[] }[],
  ) {
    super(errors.map(worded).join('\n') || `The server answered with status ${status}.`);
  }

  /** What it says of one field of the body, or of a part of it; undefined where it says nothing. */
  about(...field: (string | number)[]): string | undefined {
    return this.errors.find(({ path }) => path?.[0] === 'body' && field.every((name, at) => path[at + 1] === name))?.message;
  }
}

function worded({ message, path }: { message: string; path?: (string | number)[] }): string {
  const where = path?.slice(1).join('.');
  return where ? `${where}: ${message}` : message;
}

let csrf = '';

/** Changes must repeat the session's CSRF text; it comes with the session. */
export function keepCsrf(text: string): void {
  csrf = text;
}

async function send(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch {
    throw new Error('The server cannot be reached. Is `gaugeway serve` still running?');
  }
}

export const api = createClient<paths>({ baseUrl: window.location.origin, fetch: send });
api.use({
  onRequest({ request }) {
    if (!['GET', 'HEAD'].includes(request.method)) request.headers.set('x-gaugeway-csrf', csrf);
    return request;
  },
});

interface Envelope {
  success: boolean;
  errors: { code: number; message: string; path?: (string | number)[] }[];
  messages: Message[];
  result: unknown;
  result_info?: PageInfo;
}

type Answered = Promise<{ data?: unknown; error?: unknown; response: Response }>;

async function envelope(answered: Answered): Promise<Envelope> {
  const { data, error, response } = await answered;
  const found = (data ?? error) as Partial<Envelope> | undefined;
  if (!response.ok || !found?.success) throw new ApiError(response.status, found?.errors ?? []);
  return found as Envelope;
}

/** The `result` of a call; throws ApiError. */
export async function result<T>(answered: Answered): Promise<T> {
  return (await envelope(answered)).result as T;
}

/** All of an answer that keeps to no envelope of ours, as dynamic routes do; throws ApiError. */
export async function whole<T>(answered: Answered): Promise<T> {
  return (await envelope(answered)) as unknown as T;
}

/** One page of a list; throws ApiError. */
export async function part<T>(answered: Answered): Promise<Part<T>> {
  const { result: items, result_info: info, messages } = await envelope(answered);
  return { items: items as T[], info: info as PageInfo, messages };
}
