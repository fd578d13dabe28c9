import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, ApiError, part, result } from './client';
import type { components, operations } from './schema';
import type { Criterion, Log, LogDetail } from './types';

const LOGS = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/logs';
const LOG = `${LOGS}/{log_id}` as const;

type Query = NonNullable<
  operations['list_logs_client_v4_accounts__account_id__ai_gateway_gateways__gateway_id__logs_get']['parameters']['query']
>;
export type Order = NonNullable<Query['order_by']>;

export interface Choice {
  filters: Criterion[];
  search: string;
  order: Order;
  direction: 'asc' | 'desc';
  page: number;
  perPage: number;
}

export function useLogs(gateway_id: string, choice: Choice, { live, exact }: { live: boolean; exact: boolean }) {
  const { account_id } = useSession();
  const query: Query = {
    page: choice.page,
    per_page: choice.perPage,
    order_by: choice.order,
    order_by_direction: choice.direction,
    ...(choice.search && { search: choice.search }),
    ...(choice.filters.length > 0 && { filters: [JSON.stringify(choice.filters)] }),
    ...(exact && { count: 'exact' as const }),
  };
  return useQuery({
    queryKey: ['logs', gateway_id, query],
    queryFn: () => part<Log>(api.GET(LOGS, { params: { path: { account_id, gateway_id }, query } })),
    placeholderData: keepPreviousData,
    staleTime: 0, // whoever comes back to a list wants to see what is new
    refetchInterval: ({ state }) => (live || (state.data?.items.length === 0 && !isNarrowed(choice)) ? 2_000 : false),
  });
}

/** Whether some logs may be left out by choice. */
export function isNarrowed(choice: Choice): boolean {
  return choice.filters.length > 0 || choice.search !== '';
}

/** How many logs match; null: it could not be counted quickly. */
export function useCount(gateway_id: string, filters: Criterion[], enabled = true) {
  const { account_id } = useSession();
  const query: Query = { page: 1, per_page: 1, ...(filters.length > 0 && { filters: [JSON.stringify(filters)] }) };
  return useQuery({
    queryKey: ['logs', gateway_id, 'count', query],
    queryFn: async () => (await part<Log>(api.GET(LOGS, { params: { path: { account_id, gateway_id }, query } }))).info.total_count,
    placeholderData: keepPreviousData,
    enabled,
  });
}

export function useLog(gateway_id: string, log_id: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['log', gateway_id, log_id],
    queryFn: () => result<LogDetail>(api.GET(LOG, { params: { path: { account_id, gateway_id, log_id } } })),
  });
}

export interface Body {
  bytes: Uint8Array;
  complete: boolean;
}

/** A logged body as it was; null: none was kept. */
export function useBody(gateway_id: string, log_id: string, which: 'request' | 'response') {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['body', gateway_id, log_id, which],
    staleTime: Infinity,
    gcTime: 30_000,
    queryFn: async (): Promise<Body | null> => {
      const path = { account_id, gateway_id, log_id };
      const { data, error, response } =
        which === 'request'
          ? await api.GET(`${LOG}/request`, { params: { path }, parseAs: 'arrayBuffer' })
          : await api.GET(`${LOG}/response`, { params: { path }, parseAs: 'arrayBuffer' });
      return bodyOf(data, error, response);
    },
  });
}

/** What an answer with a body holds; null: none was kept. */
export function bodyOf(data: unknown, error: unknown, response: Response): Body | null {
  if (response.status === 404) return null;
  if (!response.ok || data === undefined) {
    const errors = (error as { errors?: ApiError['errors'] } | undefined)?.errors;
    throw new ApiError(response.status, errors ?? []);
  }
  const complete = response.headers.get('gaugeway-body-complete') !== 'false';
  return { bytes: new Uint8Array(data as ArrayBuffer), complete };
}

export function bodyAddress(account: string, gateway: string, log: string, which: 'request' | 'response'): string {
  return `/client/v4/accounts/${account}/ai-gateway/gateways/${encodeURIComponent(gateway)}/logs/${log}/${which}`;
}

export type LogEdit = components['schemas']['LogEdit'];

/** Thumbs, score and metadata. */
export function useEditLog(gateway_id: string, log_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: LogEdit) => result(api.PATCH(LOG, { params: { path: { account_id, gateway_id, log_id } }, body })),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ['log', gateway_id, log_id] }),
        client.invalidateQueries({ queryKey: ['logs', gateway_id] }),
      ]),
  });
}
