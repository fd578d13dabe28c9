import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, ApiError, part, result, whole } from './client';
import type { components } from './schema';
import type { Log } from './types';

const LIST = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/datasets/{dataset_id}/snapshots';
const ONE = `${LIST}/{snapshot_id}` as const;
const MAKING_MS = 1_000;

export type SnapshotBody = components['schemas']['SnapshotBody'];

/** A frozen version of a dataset. */
export interface Snapshot {
  id: string;
  dataset_id: string;
  name: string;
  created_at: string;
  status: 'queued' | 'running' | 'open' | 'ready' | 'failed';
  status_description: string;
  hash: string | null;
  items: number;
  erased: number;
  /** Items that have an expected answer. */
  expected: number;
  expected_version: number;
}

export interface SnapshotItem {
  log_id: string;
  hash: string;
  erased: boolean;
  expected: string | null;
  log: Log | null;
}

/** A dataset's snapshots, looked at again while one is being made. */
export function useSnapshots(gateway_id: string, dataset_id: string, page: number, enabled = true) {
  const { account_id } = useSession();
  return useQuery({
    enabled,
    queryKey: ['snapshots', gateway_id, dataset_id, page],
    queryFn: () =>
      part<Snapshot>(api.GET(LIST, { params: { path: { account_id, gateway_id, dataset_id }, query: { page, per_page: 20 } } })),
    refetchInterval: ({ state }) =>
      state.data?.items.some((one) => one.status === 'queued' || one.status === 'running') ? MAKING_MS : false,
  });
}

function useChanged(gateway_id: string, dataset_id: string) {
  const client = useQueryClient();
  return () => client.invalidateQueries({ queryKey: ['snapshots', gateway_id, dataset_id] });
}

export function useFreeze(gateway_id: string, dataset_id: string) {
  const { account_id } = useSession();
  const onSuccess = useChanged(gateway_id, dataset_id);
  return useMutation({
    mutationFn: (body: SnapshotBody) =>
      result<Snapshot>(api.POST(LIST, { params: { path: { account_id, gateway_id, dataset_id } }, body })),
    onSuccess,
  });
}

export function useDeleteSnapshot(gateway_id: string, dataset_id: string) {
  const { account_id } = useSession();
  const onSuccess = useChanged(gateway_id, dataset_id);
  return useMutation({
    mutationFn: (snapshot_id: string) => result(api.DELETE(ONE, { params: { path: { account_id, gateway_id, dataset_id, snapshot_id } } })),
    onSuccess,
  });
}

/** A page of items; `next` is where the one after it begins. */
export function useSnapshotItems(gateway_id: string, dataset_id: string, snapshot_id: string, after: string | null) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['snapshots', gateway_id, dataset_id, 'items', snapshot_id, after],
    queryFn: () =>
      whole<{ result: SnapshotItem[]; result_info: { total_count: number; next: string | null } }>(
        api.GET(`${ONE}/items`, {
          params: { path: { account_id, gateway_id, dataset_id, snapshot_id }, query: { limit: 20, ...(after !== null && { after }) } },
        }),
      ),
  });
}

/** Gives an item the answer that is right; null takes it back. */
export function useExpect(gateway_id: string, dataset_id: string, snapshot_id: string) {
  const { account_id } = useSession();
  const onSuccess = useChanged(gateway_id, dataset_id);
  return useMutation({
    mutationFn: ({ log_id, expected }: { log_id: string; expected: string | null }) =>
      result<Snapshot>(
        api.PUT(`${ONE}/expected`, {
          params: { path: { account_id, gateway_id, dataset_id, snapshot_id } },
          body: { answers: [{ log_id, expected }] },
        }),
      ),
    onSuccess,
  });
}

export interface Exported {
  file: Blob;
  /** Items that cannot be in this format. */
  leftOut: number;
}

/** All items as JSON Lines, page after page. */
export function useExport(gateway_id: string, dataset_id: string, snapshot_id: string) {
  const { account_id } = useSession();
  return useMutation({
    gcTime: 0,
    mutationFn: async (format: 'plain' | 'evals' | 'chat'): Promise<Exported> => {
      const parts: Blob[] = [];
      let leftOut = 0;
      for (let after: string | null = null; ; ) {
        const query: { format: typeof format; after?: string } = { format, ...(after !== null && { after }) };
        const { data, error, response } = await api.GET(`${ONE}/export`, {
          params: { path: { account_id, gateway_id, dataset_id, snapshot_id }, query },
          parseAs: 'blob',
        });
        if (!response.ok || data === undefined)
          throw new ApiError(response.status, (error as { errors?: ApiError['errors'] } | undefined)?.errors ?? []);
        parts.push(data as unknown as Blob);
        leftOut += Number(response.headers.get('gaugeway-left-out') ?? 0);
        after = response.headers.get('gaugeway-next');
        if (after === null) return { file: new Blob(parts, { type: 'application/x-ndjson' }), leftOut };
      }
    },
  });
}
