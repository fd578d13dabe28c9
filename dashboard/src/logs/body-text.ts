/** A logged body as text, where it is text. */

const MAX_BINARY_SHARE = 0.1;

export interface Read {
  text: string;
  binary: boolean;
}

/** Decodes UTF-8; a body with many bytes that are none, or control characters, is binary. */
export function readBytes(bytes: Uint8Array): Read {
  const text = new TextDecoder('utf-8').decode(bytes);
  const sample = text.slice(0, 4_096);
  const odd = sample.match(/[\u0000-\u0008\u000e-\u001f\ufffd]/g)?.length ?? 0;
  return { text, binary: sample.length > 0 && odd / sample.length > MAX_BINARY_SHARE };
}

/** The first bytes as hexadecimal rows. */
export function hexRows(bytes: Uint8Array, rows = 16): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(bytes.length, rows * 16); at += 16) {
    const row = bytes.subarray(at, at + 16);
    const hex = Array.from(row, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const plain = Array.from(row, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(47)}  ${plain}`);
  }
  return lines.join('\n');
}
