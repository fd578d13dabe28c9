import type { Log } from '../api/types';

const KEYS: Record<string, string> = {
  anthropic: 'x-api-key: $ANTHROPIC_API_KEY',
  'google-ai-studio': 'x-goog-api-key: $GEMINI_API_KEY',
};

/** The request of a log as a command for a shell, with a variable in place of the provider's key. */
export function asCurl(log: Log, gatewayUrl: string, body: string | null): string {
  const base = gatewayUrl.replace(/\/$/, '');
  const path = log.path.startsWith('compat/') ? log.path : `${log.provider}/${log.path}`;
  const lines = [`curl -X ${word(log.method)} ${word(`${base}/${path}`)}`];
  const key = KEYS[log.path.startsWith('compat/') ? '' : log.provider] ?? 'Authorization: Bearer $API_KEY';
  lines.push(`  -H "${key}"`);
  if (body !== null && body !== '') {
    lines.push(`  -H ${quoted(`Content-Type: ${log.request_content_type ?? 'application/json'}`)}`);
    lines.push(`  --data-binary ${quoted(body)}`);
  }
  return lines.join(' \\\n');
}

function word(text: string): string {
  return /^[A-Za-z0-9_./:-]+$/.test(text) ? text : quoted(text);
}

/**
 * Quoted so that a shell takes nothing in it for more than text. Control characters are spelled out: pasted as they
 * are, some terminals would take them for keys.
 */
export function quoted(text: string): string {
  if (!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(text)) return `'${text.replaceAll("'", String.raw`'\''`)}'`;
  const spelled = text.replace(/[\\'\u0000-\u001f\u007f-\u009f]/g, (one) =>
    one === '\\' || one === "'" ? `\\${one}` : `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `$'${spelled}'`;
}
