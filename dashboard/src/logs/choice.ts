import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'wouter';
import type { Choice, Order } from '../api/logs';
import type { Criterion } from '../api/types';
import { isCriterion } from './filter-keys';

/** Which logs are shown, how to choose others, and whether the address could be read. It lives in the address, so that
 * it can be shared, kept and gone back to. */
export function useChoice(): [Choice, (change: Partial<Choice>) => void, boolean] {
  const [params, setParams] = useSearchParams();
  const [filters, isWhole] = useMemo(() => readFilters(params.get('filters')), [params]);
  const choice = useMemo<Choice>(
    () => ({
      filters,
      search: params.get('search') ?? '',
      order: (params.get('order') ?? 'created_at') as Order,
      direction: params.get('direction') === 'asc' ? 'asc' : 'desc',
      page: Math.max(1, Number(params.get('page')) || 1),
      perPage: 50,
    }),
    [params, filters],
  );
  const change = useCallback(
    (wanted: Partial<Choice>) => {
      setParams((before) => {
        const next = { ...choice, page: 1, ...wanted };
        const after = new URLSearchParams(before);
        set(after, 'filters', next.filters.length > 0 ? JSON.stringify(next.filters) : '');
        set(after, 'search', next.search);
        set(after, 'order', next.order === 'created_at' ? '' : next.order);
        set(after, 'direction', next.direction === 'desc' ? '' : next.direction);
        set(after, 'page', next.page === 1 ? '' : String(next.page));
        return after;
      });
    },
    [choice, setParams],
  );
  return [choice, change, isWhole];
}

function set(params: URLSearchParams, name: string, value: string): void {
  if (value) params.set(name, value);
  else params.delete(name);
}

/** The filters of an address, and whether these are all that it has. */
function readFilters(text: string | null): [Criterion[], boolean] {
  try {
    const found: unknown = JSON.parse(text ?? '[]');
    if (!Array.isArray(found)) return [[], false];
    const filters = found.filter(isCriterion);
    return [filters, filters.length === found.length];
  } catch {
    return [[], false];
  }
}
