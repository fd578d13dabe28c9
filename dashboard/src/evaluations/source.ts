/** Python that users write: what the page knows of it. */

/** What `sample` has, and what it is. A test holds it to what the server gives. */
export const SAMPLE: [name: string, is: string][] = [
  ['answer', 'the text of the answer'],
  ['tool_calls', 'what it calls: name and arguments, JSON as it came'],
  ['refusal', 'what the API marked as one, or None'],
  ['problem', 'why there is no answer, else ""'],
  ['messages', 'of the request: role, text, tool_calls'],
  ['expected', 'the expected answer, or None'],
  ['metadata', 'a dict'],
  ['feedback', '1, -1 or None'],
  ['score', 'of the log, or None'],
  ['id', 'of the log'],
  ['created_at', 'RFC 3339'],
  ['provider', ''],
  ['model', ''],
  ['success', 'True or False'],
  ['cached', 'True or False'],
  ['status_code', ''],
  ['duration', 'ms'],
  ['first_byte_ms', 'ms, or None'],
  ['tokens_in', 'or None'],
  ['tokens_out', 'or None'],
  ['cost', 'dollars, or None'],
];

export const BEGINNING = `def score(sample):
    return "sorry" not in sample["answer"].lower()
`;

/** The line that a message is about; undefined where it names none. */
export function lineOf(message: string | null | undefined): number | undefined {
  const found = /\bline (\d+)\b/.exec(message ?? '');
  return found ? Number(found[1]) : undefined;
}

/** What a new line begins with: the indentation of the one before it, and more after a colon. */
export function indentation(before: string): string {
  const line = before.slice(before.lastIndexOf('\n') + 1);
  const own = /^[ \t]*/.exec(line)?.[0] ?? '';
  return /:\s*(#.*)?$/.test(line) ? `${own}    ` : own;
}

/** The name of what comes after a question that stays: its own, with the next number. */
export function nextName(name: string, taken: string[]): string {
  const [, stem = name, number = '1'] = /^(.*?)(?: (\d{1,6}))?$/s.exec(name) ?? [];
  let next = Number(number) + 1;
  while (taken.includes(`${stem} ${next}`)) next += 1;
  return `${stem} ${next}`;
}
