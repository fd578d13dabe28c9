import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, part, result } from './client';
import type { components } from './schema';
import type { Candidate, CandidateForecast, SideProgress, TrialComparison } from './trials';
import type { Dataset } from './types';

const LIST = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/replays';
const ONE = `${LIST}/{replay_id}` as const;
const RUNNING_MS = 1_000;

export type ReplayBody = components['schemas']['ReplayBody'];

export interface Forecast {
  total_items: number;
  sampled: number;
  without_tokens: number;
  candidates: CandidateForecast[];
  expected_cost: string | null;
  worst_case_cost: string | null;
  judges_worst_case_cost: string | null;
  max_cost: string;
  within_cap: 'certainly' | 'probably' | 'no' | 'unknown';
  assumes: string;
}

export interface Replay {
  id: string;
  name: string;
  created_at: string;
  /** 0 queued, 1 running, 2 completed, 4 failed, 5 cancelled */
  status: number;
  status_description: string;
  processed: boolean;
  dataset: Dataset;
  snapshot: { id: string; name: string; hash: string; items: number } | null;
  through: string;
  candidates: Candidate[];
  evaluation_type_ids: string[];
  max_cost: string;
  max_items: number;
  spent: string;
  reserved: string;
  /** Of calls whose process died, so that nobody knows what they cost. */
  unsettled: string;
  selected_logs: number;
  total_items: number;
  progress: SideProgress[];
  forecast: Forecast | null;
  comparison: TrialComparison | null;
}

/** A page of replays, looked at again while any of them runs. */
export function useReplays(gateway_id: string, page: number) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['replays', gateway_id, page],
    queryFn: () => part<Replay>(api.GET(LIST, { params: { path: { account_id, gateway_id }, query: { page, per_page: 20 } } })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some((one) => !one.processed) ? RUNNING_MS : false),
  });
}

/** One replay, looked at again while it runs. */
export function useReplay(gateway_id: string, replay_id: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['replay', gateway_id, replay_id],
    queryFn: () => result<Replay>(api.GET(ONE, { params: { path: { account_id, gateway_id, replay_id } } })),
    refetchInterval: ({ state }) => (state.data?.processed === false ? RUNNING_MS : false),
  });
}

/** What a replay would cost; nothing is made, and nothing sent. */
export function useForecast(gateway_id: string) {
  const { account_id } = useSession();
  return useMutation({
    mutationFn: (body: ReplayBody) =>
      result<Forecast>(api.POST(`${LIST}/forecast`, { params: { path: { account_id, gateway_id } }, body })),
  });
}

export function useCreateReplay(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ReplayBody) => result<Replay>(api.POST(LIST, { params: { path: { account_id, gateway_id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['replays', gateway_id] }),
  });
}

export function useDeleteReplay(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (replay_id: string) => result(api.DELETE(ONE, { params: { path: { account_id, gateway_id, replay_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['replays', gateway_id] }),
  });
}

export interface Going {
  what: 'cancel' | 'resume' | 'retry';
  /** A new cap for the whole replay; undefined: the one that it has. */
  max_cost?: number;
}

/** Cancels, goes on, or tries again what failed. */
export function useRunReplay(gateway_id: string, replay_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  const params = { params: { path: { account_id, gateway_id, replay_id } } };
  return useMutation({
    mutationFn: ({ what, max_cost }: Going) => {
      const body = { max_cost };
      return result<Replay>(
        what === 'cancel'
          ? api.POST(`${ONE}/cancel`, params)
          : what === 'resume'
            ? api.POST(`${ONE}/resume`, { ...params, body })
            : api.POST(`${ONE}/retry`, { ...params, body }),
      );
    },
    onSuccess: (replay) => {
      client.setQueryData(['replay', gateway_id, replay_id], replay);
      return client.invalidateQueries({ queryKey: ['trial items', gateway_id, replay_id] });
    },
  });
}
