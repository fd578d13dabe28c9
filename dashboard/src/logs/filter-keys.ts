import type { Criterion, Filter, Scalar } from '../api/types';

export type Kind = 'text' | 'number' | 'money' | 'flag' | 'time' | 'id' | 'feedback' | 'body';

/** Every key of the API's filters, in the order of use. `inDatasets`: a dataset may have it, too. */
export const KEYS: { key: string; label: string; kind: Kind; inDatasets: boolean; unit?: string }[] = [
  { key: 'created_at', label: 'Time', kind: 'time', inDatasets: true },
  { key: 'model', label: 'Model', kind: 'text', inDatasets: true },
  { key: 'provider', label: 'Provider', kind: 'text', inDatasets: true },
  { key: 'success', label: 'Success', kind: 'flag', inDatasets: true },
  { key: 'cached', label: 'Cached', kind: 'flag', inDatasets: true },
  { key: 'feedback', label: 'Feedback', kind: 'feedback', inDatasets: true },
  { key: 'cost', label: 'Cost', kind: 'money', inDatasets: true, unit: 'USD' },
  { key: 'duration', label: 'Duration', kind: 'number', inDatasets: true, unit: 'ms' },
  { key: 'tokens', label: 'Tokens', kind: 'number', inDatasets: true },
  { key: 'tokens_in', label: 'Tokens in', kind: 'number', inDatasets: true },
  { key: 'tokens_out', label: 'Tokens out', kind: 'number', inDatasets: true },
  { key: 'request_body', label: 'Request body', kind: 'body', inDatasets: true },
  { key: 'response_body', label: 'Response body', kind: 'body', inDatasets: true },
  { key: 'metadata.key', label: 'Metadata key', kind: 'text', inDatasets: true },
  { key: 'metadata.value', label: 'Metadata value', kind: 'text', inDatasets: true },
  { key: 'id', label: 'Log id', kind: 'id', inDatasets: true },
  { key: 'event_id', label: 'Event id', kind: 'text', inDatasets: true },
  { key: 'model_type', label: 'Model type', kind: 'text', inDatasets: true },
  { key: 'request_type', label: 'Request type', kind: 'text', inDatasets: true },
  { key: 'request_content_type', label: 'Request content type', kind: 'text', inDatasets: true },
  { key: 'response_content_type', label: 'Response content type', kind: 'text', inDatasets: true },
  { key: 'authentication', label: 'With a gateway token', kind: 'flag', inDatasets: true },
  { key: 'user_agent', label: 'User agent', kind: 'text', inDatasets: true },
  { key: 'wholesale', label: 'Wholesale', kind: 'flag', inDatasets: false },
  { key: 'compatibilityMode', label: 'Compatibility mode', kind: 'flag', inDatasets: false },
  { key: 'dlp_action', label: 'DLP action', kind: 'text', inDatasets: false },
];

/** The key of one entry of the metadata: this and its name. */
export const ENTRY = 'metadata.';

type Key = (typeof KEYS)[number];

/** What is known of a key; undefined where the API has none of that name. */
export function keyOf(key: string): Key | undefined {
  const known = KEYS.find((one) => one.key === key);
  if (known || !key.startsWith(ENTRY) || key === ENTRY) return known;
  return { key, label: `Metadata “${key.slice(ENTRY.length)}”`, kind: 'text', inDatasets: true };
}

export const OPERATORS: Record<string, string> = {
  eq: 'is',
  neq: 'is not',
  contains: 'contains',
  not_contains: 'does not contain',
  gt: 'more than',
  lt: 'less than',
};

const FITTING: Record<Kind, string[]> = {
  text: ['eq', 'neq', 'contains', 'not_contains'],
  number: ['gt', 'lt', 'eq', 'neq'],
  money: ['gt', 'lt', 'eq', 'neq'],
  flag: ['eq', 'neq'],
  time: ['gt', 'lt'],
  id: ['eq', 'neq', 'gt', 'lt'],
  feedback: ['eq', 'neq'],
  body: ['contains', 'not_contains'],
};

export function kindOf(key: string): Kind {
  return keyOf(key)?.kind ?? 'text';
}

export function operatorsOf(key: string): string[] {
  return FITTING[kindOf(key)];
}

export function operatorLabel(key: string, operator: string): string {
  if (kindOf(key) === 'time') return operator === 'gt' ? 'after' : 'before';
  return OPERATORS[operator] ?? operator;
}

/** Whether a dataset can have a filter: it knows fewer keys, and does not ask for what is unknown. */
export function fitsDataset(filter: Criterion): boolean {
  const inner = groupOf(filter)?.filters;
  if (inner) return inner.every(fitsDataset);
  if (!('key' in filter)) return false;
  const nulls = filter.value.includes(null) && filter.key !== 'feedback';
  return Boolean(keyOf(filter.key)?.inDatasets) && !nulls;
}

/** Whether a form of one filter shows everything that this one says, so that nothing goes when it is changed there. */
export function isFormable(criterion: Criterion, forDataset: boolean): criterion is Filter {
  if (!('key' in criterion) || groupOf(criterion)) return false;
  const { key, operator, value: values } = criterion;
  const known = keyOf(key);
  if (known === undefined || !operatorsOf(key).includes(operator) || (forDataset && !known.inDatasets)) return false;
  const [first] = values;
  switch (known.kind) {
    case 'flag':
      return values.length === 1 && typeof first === 'boolean';
    case 'feedback':
      return values.length === 1 && [1, -1, 0].includes(first as number);
    case 'number':
    case 'money':
      return values.length === 1 && typeof first === 'number' && (!Number.isInteger(first) || Number.isSafeInteger(first));
    case 'time':
      return values.length === 1 && typeof first === 'string' && !Number.isNaN(new Date(first).getTime());
    default:
      return values.every((one) => typeof one === 'string') && (values.length === 1 || !['gt', 'lt'].includes(operator));
  }
}

/** Whether a browser can have read all its numbers as they are: whole ones have 15 digits there. */
export function isExact(criterion: Criterion): boolean {
  const inner = groupOf(criterion)?.filters;
  if (inner) return inner.every(isExact);
  return !('key' in criterion) || criterion.value.every((one) => !Number.isInteger(one) || Number.isSafeInteger(one));
}

export function shownValue(key: string, value: Scalar): string {
  if (value === null) return kindOf(key) === 'feedback' ? 'none' : 'unknown';
  if (kindOf(key) === 'feedback') return { '1': 'thumbs up', '-1': 'thumbs down', '0': 'none' }[String(value)] ?? String(value);
  if (kindOf(key) === 'flag') return value === true || value === 'true' ? 'yes' : 'no';
  if (kindOf(key) === 'money') return `$${value}`;
  if (kindOf(key) === 'time') {
    const when = new Date(String(value));
    return Number.isNaN(when.getTime()) ? String(value) : when.toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'short' });
  }
  const unit = keyOf(key)?.unit;
  return unit ? `${value} ${unit}` : String(value);
}

const JOINED = { all_of: ' and ', any_of: ' or ', none_of: ' or ' };
export type Join = keyof typeof JOINED;
export const JOINS = Object.keys(JOINED) as Join[];

/** What a group joins, and how; undefined for a filter. */
export function groupOf(criterion: Criterion): { join: Join; filters: Criterion[] } | undefined {
  for (const join of JOINS) {
    const filters = (criterion as Partial<Record<Join, unknown>>)[join];
    if (Array.isArray(filters)) return { join, filters: filters as Criterion[] };
  }
  return undefined;
}

/** Whether something out of an address is a filter, or a group of them. */
export function isCriterion(value: unknown): value is Criterion {
  if (typeof value !== 'object' || value === null) return false;
  const { key, operator, value: values } = value as Record<string, unknown>;
  if (key === undefined) return groupOf(value as Criterion)?.filters.every(isCriterion) ?? false;
  return typeof key === 'string' && typeof operator === 'string' && Array.isArray(values);
}

/** A filter or a group as a sentence. */
export function worded(filter: Criterion): string {
  const group = groupOf(filter);
  if (group?.filters.length === 0) return '(nothing yet)';
  if (group) return `${group.join === 'none_of' ? 'not ' : ''}(${group.filters.map(worded).join(JOINED[group.join])})`;
  if (!('key' in filter)) return JSON.stringify(filter);
  const label = keyOf(filter.key)?.label ?? filter.key;
  return `${label} ${operatorLabel(filter.key, filter.operator)} ${filter.value.map((value) => shownValue(filter.key, value)).join(' or ')}`;
}
