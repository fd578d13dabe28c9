/** Why a logged request was not sent to a candidate, or its answer does not count, as people say it. */
const WORDS: Record<string, string> = {
  no_bodies: 'no request body was kept',
  body_cut: 'only the beginning of the request was kept',
  redacted: 'a credential was taken out of the request',
  not_a_chat: 'not a chat',
  server_state: 'needs what the provider’s server keeps',
  linked_content: 'content by URL, which may be another by now',
  untranslatable: 'cannot be put into the model’s format',
  deleted: 'the log is gone',
  cap_reached: 'the cap had no room left',
  cost_unknown: 'nobody can tell what it costs at most',
  refused: 'refused by the gateway',
  upstream_error: 'the provider’s failure',
  timeout: 'no answer in time',
  broken_off: 'the answer broke off',
  no_log: 'the call left no log',
  own_call: 'the program’s own call, of a shadow, replay, eval or judge',
  never_sent: 'the gateway refused it itself, so no model ever got it',
  behind: 'it waited for more than 15 minutes: the candidates are slower than the share, or no server was running',
  ended: 'the shadow ended before its turn',
};

export function reasonInWords(reason: string): string {
  return WORDS[reason] ?? reason.replaceAll('_', ' ');
}

export const STATES: Record<number, { label: string; colour: string }> = {
  0: { label: 'queued', colour: 'gray' },
  1: { label: 'running', colour: 'blue' },
  2: { label: 'completed', colour: 'gauge' },
  4: { label: 'failed', colour: 'red' },
  5: { label: 'cancelled', colour: 'gray' },
};
