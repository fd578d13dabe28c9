/** Which words of a text another one has, too: Myers' shortest edit, within limits, since texts come from strangers. */

export interface Span {
  kind: 'same' | 'gone' | 'new';
  text: string;
}

/** Beyond these it is not said which words differ, but that they were not compared. */
export const MOST_CHARACTERS = 100_000;
const MOST_EDITS = 1_500;

const WORDS = /\s+|[\p{L}\p{N}\p{M}_]+|[^\s\p{L}\p{N}\p{M}_]/gu;

/** The parts of both texts in order; null where they are too long, or have too little in common, to be compared. */
export function differences(before: string, after: string): Span[] | null {
  if (before === after) return before === '' ? [] : [{ kind: 'same', text: before }];
  if (before.length > MOST_CHARACTERS || after.length > MOST_CHARACTERS) return null;
  const [old, fresh] = [before.match(WORDS) ?? [], after.match(WORDS) ?? []];
  let head = 0;
  while (head < old.length && head < fresh.length && old[head] === fresh[head]) head += 1;
  let tail = 0;
  while (tail < old.length - head && tail < fresh.length - head && old[old.length - 1 - tail] === fresh[fresh.length - 1 - tail]) tail += 1;
  const middle = shortestEdit(old.slice(head, old.length - tail), fresh.slice(head, fresh.length - tail));
  if (middle === null) return null;
  return joined([
    { kind: 'same', text: old.slice(0, head).join('') },
    ...middle,
    { kind: 'same', text: old.slice(old.length - tail).join('') },
  ]);
}

function shortestEdit(old: string[], fresh: string[]): Span[] | null {
  const most = Math.min(MOST_EDITS, old.length + fresh.length);
  const reach = new Int32Array(2 * most + 3); // how far along the old words each diagonal has come
  const trace: Int32Array[] = [];
  for (let edits = 0; edits <= most; edits += 1) {
    trace.push(reach.slice(most - edits, most + edits + 3));
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      const at = most + 1 + diagonal;
      const down = diagonal === -edits || (diagonal !== edits && (reach[at - 1] ?? 0) < (reach[at + 1] ?? 0));
      let x = down ? (reach[at + 1] ?? 0) : (reach[at - 1] ?? 0) + 1;
      while (x < old.length && x - diagonal < fresh.length && old[x] === fresh[x - diagonal]) x += 1;
      reach[at] = x;
      if (x >= old.length && x - diagonal >= fresh.length) return walkedBack(old, fresh, trace);
    }
  }
  return null;
}

/** From the end to the beginning along what was reached with ever fewer edits. */
function walkedBack(old: string[], fresh: string[], trace: Int32Array[]): Span[] {
  const found: Span[] = [];
  let x = old.length;
  let y = fresh.length;
  for (let edits = trace.length - 1; edits >= 0; edits -= 1) {
    const reach = trace[edits] as Int32Array;
    const at = (diagonal: number) => reach[diagonal + edits + 1] ?? 0;
    const diagonal = x - y;
    const down = diagonal === -edits || (diagonal !== edits && at(diagonal - 1) < at(diagonal + 1));
    const fromX = edits === 0 ? 0 : down ? at(diagonal + 1) : at(diagonal - 1);
    const fromY = edits === 0 ? 0 : fromX - (down ? diagonal + 1 : diagonal - 1);
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      found.push({ kind: 'same', text: old[x] ?? '' });
    }
    if (edits === 0) break;
    if (down) found.push({ kind: 'new', text: fresh[fromY] ?? '' });
    else found.push({ kind: 'gone', text: old[fromX] ?? '' });
    [x, y] = [fromX, fromY];
  }
  return found.reverse();
}

/** Neighbours of one kind become one. */
function joined(spans: Span[]): Span[] {
  const out: Span[] = [];
  for (const span of spans) {
    if (span.text === '') continue;
    const last = out.at(-1);
    if (last?.kind === span.kind) last.text += span.text;
    else out.push({ ...span });
  }
  return out;
}

/** The share of the words of both that both have, 0 to 100. */
export function likeness(spans: Span[]): number {
  const size = (kind: Span['kind']) =>
    spans.filter((one) => one.kind === kind).reduce((sum, one) => sum + one.text.replace(/\s+/g, '').length, 0);
  const same = 2 * size('same');
  const all = same + size('gone') + size('new');
  return all === 0 ? 100 : (100 * same) / all;
}
