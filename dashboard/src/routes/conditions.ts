/**
 * A condition as a form shows it: rows and groups, and back to the very JSON that it came from.
 *
 * What a form cannot show (a path's own `$not`, say, or what the server does not know) is an entry of JSON among the
 * rows. Nothing that is not touched is written otherwise than it was.
 */

export const OPERATORS = ['$eq', '$ne', '$in', '$nin', '$gt', '$gte', '$lt', '$lte', '$exists', '$regex'] as const;
export type Operator = (typeof OPERATORS)[number];
export const LISTS: readonly Operator[] = ['$in', '$nin'];
export const ORDERS: readonly Operator[] = ['$gt', '$gte', '$lt', '$lte'];

/** One thing that is asked of a value. */
export interface Test {
  operator: Operator;
  operand: unknown;
}

/** What is asked of one value; all of it has to hold. */
export interface Row {
  kind: 'row';
  key: string;
  path: string;
  tests: Test[];
  /** `{"path": "value"}`, which is short for `$eq`. */
  bare: boolean;
}

/** `all`: the entries of one object, which all have to hold. */
export type Join = 'all' | '$and' | '$or' | '$not';

export interface Group {
  kind: 'group';
  key: string;
  join: Join;
  members: Node[];
}

/** An entry that is typed as JSON; undefined: what is typed is none. */
export interface Typed {
  kind: 'json';
  key: string;
  name: string;
  value: unknown;
}

export type Node = Row | Group | Typed;

/** What has not been typed yet: the server takes it for no operand, and says so. */
export const UNFINISHED = Object.freeze({});
/** Beyond so many nodes a form is no help. */
export const MOST_NODES = 100;
const MOST_LEVELS = 8;

let keys = 0;
function newKey(): string {
  keys += 1;
  return `c${keys}`;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function newRow(): Row {
  return { kind: 'row', key: newKey(), path: 'metadata.', tests: [{ operator: '$eq', operand: '' }], bare: true };
}

export function newGroup(join: Join): Group {
  return { kind: 'group', key: newKey(), join, members: [newRow()] };
}

// --- from JSON -------------------------------------------------------------------------------------------------

/** The form of conditions; null where they are no object, or more than a form can show. */
export function toForm(conditions: unknown): Group | null {
  if (!isRecord(conditions)) return null;
  const form = groupOf('all', entriesOf(conditions, 0));
  return sizeOf(form) > MOST_NODES ? null : form;
}

function groupOf(join: Join, members: Node[]): Group {
  return { kind: 'group', key: newKey(), join, members };
}

function sizeOf(node: Node): number {
  return node.kind === 'group' ? node.members.reduce((sum, one) => sum + sizeOf(one), 1) : 1;
}

function entriesOf(conditions: Record<string, unknown>, level: number): Node[] {
  return Object.entries(conditions).map(([name, value]) => entryOf(name, value, level));
}

function entryOf(name: string, value: unknown, level: number): Node {
  const typed: Typed = { kind: 'json', key: newKey(), name, value };
  if (name === '$and' || name === '$or') {
    if (!Array.isArray(value) || !value.every(isRecord) || level >= MOST_LEVELS) return typed;
    return groupOf(
      name,
      value.map((one) => memberOf(one, level + 1)),
    );
  }
  if (name === '$not') return isRecord(value) && level < MOST_LEVELS ? groupOf('$not', entriesOf(value, level + 1)) : typed;
  if (name.startsWith('$')) return typed;
  if (!isRecord(value)) return Array.isArray(value) ? typed : row(name, [{ operator: '$eq', operand: value }], true);
  const tests = Object.entries(value).map(([operator, operand]) => ({ operator, operand }));
  return tests.length > 0 && tests.every(isShown) ? row(name, tests as Test[], false) : typed;
}

/** One of several alternatives: a lone entry stands for itself. */
function memberOf(conditions: Record<string, unknown>, level: number): Node {
  const entries = entriesOf(conditions, level);
  const [only] = entries;
  return entries.length === 1 && only !== undefined ? only : groupOf('all', entries);
}

function row(path: string, tests: Test[], bare: boolean): Row {
  return { kind: 'row', key: newKey(), path, tests, bare };
}

/** Whether a field can hold the operand as it is. */
function isShown({ operator, operand }: { operator: string; operand: unknown }): boolean {
  if (!OPERATORS.includes(operator as Operator)) return false;
  const scalar = operand === null || ['string', 'number', 'boolean'].includes(typeof operand);
  if (LISTS.includes(operator as Operator)) return Array.isArray(operand) && (isAll(operand, 'string') || isAll(operand, 'number'));
  if (operator === '$exists') return typeof operand === 'boolean';
  if (operator === '$regex') return typeof operand === 'string';
  if (ORDERS.includes(operator as Operator)) return typeof operand === 'string' || typeof operand === 'number';
  return scalar;
}

export function isAll(values: unknown[], type: 'string' | 'number'): boolean {
  return values.every((one) => typeof one === type);
}

// --- back to JSON ----------------------------------------------------------------------------------------------

/** The conditions that a form stands for, and where in them each of its nodes is. */
export function toConditions(form: Group): { conditions: Record<string, unknown>; places: Map<string, string[]> } {
  const places = new Map<string, string[]>([[form.key, []]]);
  return { conditions: objectOf(form.members, [], places), places };
}

type Places = Map<string, string[]>;

/** The members as entries of one object; where two would have one name, as a list of objects. */
function objectOf(members: Node[], at: string[], places: Places): Record<string, unknown> {
  const names = members.map(nameOf);
  if (new Set(names).size < names.length) return { $and: listOf(members, [...at, '$and'], places) };
  return Object.fromEntries(members.map((one, index) => [names[index] ?? '', writtenOf(one, [...at, names[index] ?? ''], places)]));
}

function listOf(members: Node[], at: string[], places: Places): Record<string, unknown>[] {
  return members.map((one, index) => {
    const here = [...at, String(index)];
    if (one.kind !== 'group' || one.join !== 'all') return objectOf([one], here, places);
    places.set(one.key, here);
    return objectOf(one.members, here, places);
  });
}

function nameOf(node: Node): string {
  if (node.kind === 'row') return node.path;
  if (node.kind === 'json') return node.name;
  return node.join === 'all' ? '$and' : node.join; // an object cannot stand in an object without a name
}

function writtenOf(node: Node, at: string[], places: Places): unknown {
  places.set(node.key, at);
  if (node.kind === 'json') return node.value === undefined ? UNFINISHED : node.value;
  if (node.kind === 'group') return node.join === '$not' ? objectOf(node.members, at, places) : listOf(node.members, at, places);
  const [only] = node.tests;
  if (node.bare && node.tests.length === 1 && only?.operator === '$eq') return only.operand;
  return Object.fromEntries(node.tests.map(({ operator, operand }) => [operator, operand]));
}

// --- changes ---------------------------------------------------------------------------------------------------

/** With another operator: its operand is kept where it can be, and else begins anew. */
export function withOperator(test: Test, operator: Operator): Test {
  const { operand } = test;
  if (isShown({ operator, operand })) return { operator, operand };
  if (LISTS.includes(operator)) return { operator, operand: typeof operand === 'string' || typeof operand === 'number' ? [operand] : [] };
  if (operator === '$exists') return { operator, operand: true };
  const first = Array.isArray(operand) ? operand[0] : undefined;
  return { operator, operand: first !== undefined && isShown({ operator, operand: first }) ? first : '' };
}

/** The form with one of its nodes changed, or without it. */
export function replaced(group: Group, key: string, change: Node | null): Group {
  const members = group.members.flatMap((one) => {
    if (one.key === key) return change === null ? [] : [change];
    return one.kind === 'group' ? [replaced(one, key, change)] : [one];
  });
  return { ...group, members };
}

/** The first words of the server about a node: of a row all that is about its parts, of a group what is about itself. */
export function aboutNode(problems: { path: string[]; message: string }[], node: Node, places: Places): string | undefined {
  const at = places.get(node.key);
  if (at === undefined) return undefined;
  const here = ['properties', 'conditions', ...at];
  const found = problems.find(
    ({ path }) => here.every((name, index) => path[index] === name) && (node.kind !== 'group' || path.length === here.length),
  );
  return found?.message;
}

/** Numbers in a JSON text that a browser would change by reading them. */
export function inexact(text: string): string[] {
  const tokens = text.match(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g) ?? [];
  return tokens.filter((one) => /^-?\d{16,}$/.test(one) && BigInt(one) !== BigInt(Number(one)));
}
