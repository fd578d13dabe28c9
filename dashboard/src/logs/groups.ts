import type { Criterion } from '../api/types.ts';
import { groupOf, type Join } from './filter-keys.ts';

/** How deep groups may be within one another, as the API has it. */
export const DEEPEST = 5;

/** Where a criterion stands: its place in the outermost list, then in the group there, and so on. */
export type Place = number[];

/** The filters with the one at a place replaced, or without it. All others are the very same. */
export function replaced(filters: Criterion[], [first, ...rest]: Place, by: Criterion | null): Criterion[] {
  return filters.flatMap((one, index) => {
    if (index !== first) return [one];
    if (rest.length > 0) return [inside(one, (inner) => replaced(inner, rest, by))];
    return by === null ? [] : [by];
  });
}

/** The filters with one more at the end of the group at a place; of the outermost list where that is empty. */
export function added(filters: Criterion[], [first, ...rest]: Place, criterion: Criterion): Criterion[] {
  if (first === undefined) return [...filters, criterion];
  return filters.map((one, index) => (index === first ? inside(one, (inner) => added(inner, rest, criterion)) : one));
}

/** A group of the same filters, joined in another way. */
export function rejoined(group: Criterion, join: Join): Criterion {
  const found = groupOf(group);
  return found === undefined || found.join === join ? group : grouped(join, found.filters);
}

export function grouped(join: Join, filters: Criterion[]): Criterion {
  return { [join]: filters } as Criterion;
}

/** The places of groups in which nothing is yet. The API refuses those. */
export function emptyGroups(filters: Criterion[], at: Place = []): Place[] {
  return filters.flatMap((one, index) => {
    const inner = groupOf(one)?.filters;
    if (inner === undefined) return [];
    return inner.length === 0 ? [[...at, index]] : emptyGroups(inner, [...at, index]);
  });
}

/** How people and screen readers name a place: 2.1 is the first in the second. */
export function placeInWords(place: Place): string {
  return place.map((one) => one + 1).join('.');
}

function inside(group: Criterion, change: (filters: Criterion[]) => Criterion[]): Criterion {
  const found = groupOf(group);
  return found === undefined ? group : { ...group, [found.join]: change(found.filters) };
}
