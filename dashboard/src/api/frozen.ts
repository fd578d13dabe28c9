import { useQuery } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, result } from './client';
import { type Body, bodyOf } from './logs';
import type { LogDetail } from './types';

const ITEM =
  '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/datasets/{dataset_id}/snapshots/{snapshot_id}/items/{log_id}';

/** A snapshot, by where it is. */
export interface Place {
  gateway_id: string;
  dataset_id: string;
  snapshot_id: string;
}

/** The frozen log of a snapshot's item; null: it was erased. */
export function useFrozenLog(place: Place, log_id: string) {
  const { account_id } = useSession();
  const path = { account_id, ...place, log_id };
  return useQuery({
    queryKey: ['frozen', place, log_id],
    queryFn: async () => (await result<{ log: LogDetail | null }>(api.GET(ITEM, { params: { path } }))).log,
  });
}

/** An item's body as it was frozen; null: none was kept. */
export function useFrozenBody(place: Place, log_id: string, which: 'request' | 'response') {
  const { account_id } = useSession();
  const path = { account_id, ...place, log_id };
  return useQuery({
    queryKey: ['frozen', place, log_id, which],
    staleTime: Infinity,
    gcTime: 30_000,
    queryFn: async (): Promise<Body | null> => {
      const { data, error, response } =
        which === 'request'
          ? await api.GET(`${ITEM}/request`, { params: { path }, parseAs: 'arrayBuffer' })
          : await api.GET(`${ITEM}/response`, { params: { path }, parseAs: 'arrayBuffer' });
      return bodyOf(data, error, response);
    },
  });
}
