/**
 * A route's elements while they are edited.
 *
 * Elements are joined by keys of our own, not by their ids: an id may be typed letter by letter, and be another
 * element's on the way, without anything being led elsewhere. What is wrong with them the server says, except where
 * they cannot even be sent.
 */

import { inexact } from './conditions.ts';

export type Kind = 'start' | 'conditional' | 'percentage' | 'rate' | 'model' | 'end';

export const KINDS: Record<Kind, string> = {
  start: 'Start',
  conditional: 'Condition',
  percentage: 'Percentage',
  rate: 'Rate limit',
  model: 'Model',
  end: 'End',
};

export interface Way {
  label: string;
  /** The key of the element that it leads to; null: to none yet. */
  to: string | null;
}

export interface Draft {
  key: string;
  id: string;
  kind: Kind;
  properties: Record<string, unknown>;
  /** A conditional's conditions as they are typed. */
  conditions?: string;
  ways: Way[];
}

/** An element as the API takes and shows it. */
export interface Element {
  id: string;
  type: string;
  properties?: Record<string, unknown>;
  outputs?: Record<string, { elementId: string }>;
}

/** What is wrong with one element; `path` goes on below the element. */
export interface Problem {
  index: number;
  path: string[];
  message: string;
}

export const ELSE = 'else';
const LABELS: Record<Kind, string[]> = {
  start: ['next'],
  conditional: ['true', 'false'],
  percentage: ['50%', ELSE],
  rate: ['success', 'fallback'],
  model: ['success', 'fallback'],
  end: [],
};

let keys = 0;
function newKey(): string {
  keys += 1;
  return `k${keys}`;
}

/** Elements to edit. */
export function toDrafts(elements: Element[]): Draft[] {
  const byId = new Map(elements.map((element) => [element.id, newKey()]));
  return elements.map((element) => {
    const kind = element.type as Kind;
    const properties = element.properties ?? {};
    return {
      key: byId.get(element.id) ?? newKey(),
      id: element.id,
      kind,
      properties: { ...properties },
      ...(kind === 'conditional' && { conditions: JSON.stringify(properties.conditions ?? {}, null, 2) }),
      ways: Object.entries(element.outputs ?? {}).map(([label, { elementId }]) => ({ label, to: byId.get(elementId) ?? null })),
    };
  });
}

/** Elements to send, and what keeps them from being sent. */
export function toElements(drafts: Draft[]): { elements: Element[]; problems: Problem[] } {
  const ids = new Map(drafts.map((draft) => [draft.key, draft.id]));
  const problems: Problem[] = [];
  const elements = drafts.map((draft, index) => {
    const outputs: [string, { elementId: string }][] = [];
    for (const { label, to } of draft.ways) {
      const elementId = to === null ? undefined : ids.get(to);
      if (elementId === undefined)
        problems.push({ index, path: ['outputs', label, 'elementId'], message: 'It leads nowhere yet: choose an element' });
      else
        outputs.push([
          spelled(
            label,
            outputs.map(([known]) => known),
          ),
          { elementId },
        ]);
    }
    const element: Element = { id: draft.id, type: draft.kind, outputs: Object.fromEntries(outputs) };
    if (draft.kind === 'conditional') {
      const conditions = parsed(draft.conditions ?? '');
      if (conditions === undefined) problems.push({ index, path: ['properties', 'conditions'], message: 'This is not JSON' });
      const [changed] = inexact(draft.conditions ?? '');
      if (changed !== undefined)
        problems.push({
          index,
          path: ['properties', 'conditions'],
          message: `${changed} has more digits than a browser keeps: send it through the API`,
        });
      element.properties = { conditions };
    } else if (draft.kind === 'rate' || draft.kind === 'model') {
      element.properties = draft.properties;
    }
    return element;
  });
  return { elements, problems };
}

/** JSON that may be none yet: then undefined. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A share in a spelling that none of the others has: two of 25 % are 25% and 25.0%. */
function spelled(label: string, taken: string[]): string {
  let text = label;
  while (taken.includes(text) && /^\d+(\.\d{0,5})?%$/.test(text))
    text = text.includes('.') ? text.replace('%', '0%') : text.replace('%', '.0%');
  return text;
}

/** What the server says of the elements, by element; what it says of none of them has the index -1. */
export function problemsOf(errors: { message: string; path?: (string | number)[] }[]): Problem[] {
  return errors.map(({ message, path = [] }) => {
    const [, field, index, ...rest] = path;
    const isElement = field === 'elements' && typeof index === 'number';
    return { index: isElement ? index : -1, path: isElement ? rest.map(String) : path.slice(1).map(String), message };
  });
}

/** The first words about a field of an element; undefined where there are none. A field's parts count to it. */
export function about(problems: Problem[], ...path: string[]): string | undefined {
  return problems.find((one) => path.every((name, at) => one.path[at] === name))?.message;
}

/** A new element with an id of its own. Its ways lead to `to`. */
export function newElement(kind: Kind, drafts: Draft[], to: string | null): Draft {
  const taken = new Set(drafts.map((draft) => draft.id));
  let id: string = kind;
  for (let number = 2; taken.has(id); number += 1) id = `${kind}-${number}`;
  const end = drafts.find((draft) => draft.kind === 'end')?.key ?? null;
  const properties: Record<Kind, Record<string, unknown>> = {
    start: {},
    conditional: {},
    percentage: {},
    rate: { limitType: 'count', key: '', limit: 10, window: 60 },
    model: { provider: '', model: '', timeout: 60_000, retries: 0 },
    end: {},
  };
  return {
    key: newKey(),
    id,
    kind,
    properties: properties[kind],
    ...(kind === 'conditional' && { conditions: '{\n  "metadata.plan": "pro"\n}' }),
    ways: LABELS[kind].map((label) => ({ label, to: kind === 'model' && label === 'success' ? end : to })),
  };
}

/** What a new route begins with: every request to one model. */
export function plainRoute(): Draft[] {
  const end = newElement('end', [], null);
  const model = newElement('model', [end], end.key);
  const start = newElement('start', [model, end], model.key);
  return [start, model, end];
}

/** Without an element: what led to it leads to where it went on, where that is one place only. */
export function without(drafts: Draft[], key: string): Draft[] {
  const gone = drafts.find((draft) => draft.key === key);
  const targets = new Set(gone?.ways.filter((way) => gone.kind !== 'model' || way.label === 'fallback').map((way) => way.to));
  const next = drafts.find((draft) => targets.size === 1 && targets.has(draft.key));
  const fits = (draft: Draft, label: string) =>
    next !== undefined && next !== draft && (draft.kind !== 'model' || label === 'fallback' || next.kind === 'end');
  return drafts
    .filter((draft) => draft.key !== key)
    .map((draft) => ({
      ...draft,
      ways: draft.ways.map((way) => (way.to === key ? { ...way, to: fits(draft, way.label) && next ? next.key : null } : way)),
    }));
}

/** With a new element put into a way: it leads on to where the way led. */
export function inserted(drafts: Draft[], from: string, label: number, kind: Kind): { drafts: Draft[]; added: Draft } {
  const way = drafts.find((draft) => draft.key === from)?.ways[label];
  const added = newElement(kind, drafts, way?.to ?? null);
  const changed = drafts.map((draft) =>
    draft.key !== from ? draft : { ...draft, ways: draft.ways.map((one, at) => (at === label ? { ...one, to: added.key } : one)) },
  );
  const at = changed.findIndex((draft) => draft.key === from);
  return { drafts: [...changed.slice(0, at + 1), added, ...changed.slice(at + 1)], added };
}

// --- in words --------------------------------------------------------------------------------------------------

const WAYS: Partial<Record<Kind, Record<string, string>>> = {
  conditional: { true: 'yes', false: 'no' },
  rate: { success: 'while there is room', fallback: 'after' },
  model: { success: 'answered', fallback: 'failed' },
};

/** What a way is called on the page. */
export function wayName(kind: Kind, label: string): string {
  return WAYS[kind]?.[label] ?? label;
}

const SPANS: [number, string][] = [
  [86_400, 'day'],
  [3_600, 'hour'],
  [60, 'minute'],
  [1, 'second'],
];

/** Seconds as people say them. */
export function span(seconds: number): string {
  const [size, unit] = SPANS.find(([length]) => seconds >= length && seconds % length === 0) ?? [1, 'second'];
  const number = seconds / size;
  return number === 1 ? unit : `${number} ${unit}s`;
}

/** What an element does, in a line. */
export function summary(draft: Draft): string {
  const { kind, properties } = draft;
  switch (kind) {
    case 'start':
      return 'every request';
    case 'end':
      return 'the last answer is given';
    case 'percentage':
      return 'by chance, or by session';
    case 'model':
      return properties.provider || properties.model ? `${String(properties.provider)}/${String(properties.model)}` : 'no model chosen yet';
    case 'rate': {
      const amount = properties.limitType === 'cost' ? `$${String(properties.limit)}` : `${String(properties.limit)} requests`;
      return `${amount} a ${span(Number(properties.window))}${properties.key ? ` each ${String(properties.key)}` : ''}`;
    }
    case 'conditional':
      return conditionsInWords(parsed(draft.conditions ?? ''));
  }
}

const OPERATORS: Record<string, string> = {
  $eq: '=',
  $ne: '≠',
  $in: 'in',
  $nin: 'not in',
  $gt: '>',
  $gte: '≥',
  $lt: '<',
  $lte: '≤',
  $exists: 'exists',
  $regex: 'matches',
};

/** Conditions in a line. */
export function conditionsInWords(conditions: unknown): string {
  if (typeof conditions !== 'object' || conditions === null || Array.isArray(conditions)) return 'no conditions that can be read';
  const parts = Object.entries(conditions).map(([path, value]) => {
    if (path === '$and' || path === '$or') {
      return Array.isArray(value) ? value.map((one) => `(${conditionsInWords(one)})`).join(path === '$and' ? ' and ' : ' or ') : path;
    }
    if (path === '$not') return `not (${conditionsInWords(value)})`;
    return `${path} ${operatorsInWords(value)}`;
  });
  return parts.join(' and ') || 'no condition';
}

function operatorsInWords(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `= ${JSON.stringify(value)}`;
  return Object.entries(value)
    .map(([operator, operand]) => {
      if (operator === '$not') return `not ${operatorsInWords(operand)}`;
      if (operator === '$exists') return operand === false ? 'is not there' : 'is there';
      const text = Array.isArray(operand) ? operand.map((one) => JSON.stringify(one)).join(', ') : JSON.stringify(operand);
      return `${OPERATORS[operator] ?? operator} ${text}`;
    })
    .join(' and ');
}

/** An element's place among the others, for those who cannot see the lines. */
export function described(draft: Draft, drafts: Draft[]): string {
  const names = new Map(drafts.map((one) => [one.key, one.id]));
  const ways = draft.ways.map(
    ({ label, to }) => `${wayName(draft.kind, label)} leads to ${to === null ? 'nothing yet' : (names.get(to) ?? 'nothing yet')}`,
  );
  const from = drafts.filter((one) => one.ways.some((way) => way.to === draft.key)).map((one) => one.id);
  const reached = draft.kind === 'start' ? [] : [from.length > 0 ? `reached from ${from.join(', ')}` : 'nothing leads here'];
  return [...ways, ...reached].join('; ');
}

/** Whether two drafts of a route would send the same. */
export function isSame(one: Draft[], other: Draft[]): boolean {
  return JSON.stringify(toElements(one)) === JSON.stringify(toElements(other));
}
