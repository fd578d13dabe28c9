export interface Ask {
  account: string;
  gateway: string;
  model: string;
  system: string;
  text: string;
  maxTokens: number | null;
  temperature: number | null;
  providerKey: string;
  gatewayToken: string;
}

export interface Progress {
  status: number;
  logId: string | null;
  body: string;
}

/**
 * Sends one chat through a gateway and tells how its answer grows.
 *
 * It is a universal request of one step: of such a request's own headers providers see next to none, so that they do
 * not take it for one of a web page. The browser sends no cookie along: the session's is not for these addresses.
 */
export async function send(ask: Ask, signal: AbortSignal, onProgress: (progress: Progress) => void): Promise<Progress> {
  const messages = [...(ask.system ? [{ role: 'system', content: ask.system }] : []), { role: 'user', content: ask.text }];
  const query = {
    model: ask.model,
    messages,
    stream: true,
    ...(ask.maxTokens !== null && { max_tokens: ask.maxTokens }),
    ...(ask.temperature !== null && { temperature: ask.temperature }),
  };
  const headers = { 'Content-Type': 'application/json', ...(ask.providerKey && { Authorization: `Bearer ${ask.providerKey}` }) };
  const answer = await fetch(`/v1/${ask.account}/${encodeURIComponent(ask.gateway)}`, {
    method: 'POST',
    credentials: 'omit',
    signal,
    headers: { 'content-type': 'application/json', ...(ask.gatewayToken && { 'cf-aig-authorization': `Bearer ${ask.gatewayToken}` }) },
    body: JSON.stringify([{ provider: 'compat', endpoint: 'chat/completions', headers, query }]),
  });
  const progress = { status: answer.status, logId: answer.headers.get('cf-aig-log-id'), body: '' };
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  while (reader) {
    const { done, value } = await reader.read();
    if (done) break;
    progress.body += value;
    onProgress({ ...progress });
  }
  return progress;
}
