import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, part, result } from './client';
import type { components } from './schema';
import type { Candidate, CandidateForecast, SideProgress, TrialComparison } from './trials';
import type { Dataset } from './types';

const LIST = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/shadows';
const ONE = `${LIST}/{shadow_id}` as const;
const RUNNING_MS = 2_000;

export type ShadowBody = components['schemas']['ShadowBody'];
export type ResumeBody = components['schemas']['ResumeBody'];

/** What a day would cost, in dollars, from the gateway's last days. */
export interface DayForecast {
  days: number;
  logs: number;
  /** Requests that the lot would draw in a day, on average. */
  daily_items: number;
  sampled: number;
  without_tokens: number;
  candidates: CandidateForecast[];
  expected_cost: string | null;
  worst_case_cost: string | null;
  judges_worst_case_cost: string | null;
  daily_cap: string;
  within_cap: 'probably' | 'perhaps' | 'no' | 'unknown';
  assumes: string;
  /** What the days leave open. */
  note: string | null;
}

/** Requests that were not sent, by reason. */
export interface Unsent {
  total: number;
  reasons: Record<string, number>;
}

export interface Shadow {
  id: string;
  name: string;
  created_at: string;
  /** 0 queued, 1 running, 2 completed, 4 failed */
  status: number;
  status_description: string;
  processed: boolean;
  /** null: all requests. */
  dataset: Dataset | null;
  through: string;
  candidates: Candidate[];
  evaluation_type_ids: string[];
  /** Per cent. */
  share: number;
  daily_cap: string;
  max_items: number;
  until: string;
  concurrency: number;
  accept_unknown_cost: boolean;
  /** The day's cap was reached, and nothing is sent until then. */
  paused_until: string | null;
  stopped_at: string | null;
  /** As it was when the shadow was made. */
  forecast: DayForecast | null;
  /** Dollars of this day of UTC. */
  today: { spent: string; reserved: string; unsettled: string };
  /** sampled = called + skipped + missed + waiting */
  seen: number;
  sampled: number;
  waiting: number;
  called: number;
  skipped: Unsent;
  missed: Unsent;
  progress: SideProgress[];
  compared_items: number;
  comparison: TrialComparison | null;
}

/** A page of shadows, looked at again while any of them runs. */
export function useShadows(gateway_id: string, page: number) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['shadows', gateway_id, page],
    queryFn: () => part<Shadow>(api.GET(LIST, { params: { path: { account_id, gateway_id }, query: { page, per_page: 20 } } })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some((one) => !one.processed) ? RUNNING_MS : false),
  });
}

/** One shadow, looked at again while it runs. */
export function useShadow(gateway_id: string, shadow_id: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['shadow', gateway_id, shadow_id],
    queryFn: () => result<Shadow>(api.GET(ONE, { params: { path: { account_id, gateway_id, shadow_id } } })),
    refetchInterval: ({ state }) => (state.data?.processed === false ? RUNNING_MS : false),
  });
}

export function useCreateShadow(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ShadowBody) => result<Shadow>(api.POST(LIST, { params: { path: { account_id, gateway_id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['shadows', gateway_id] }),
  });
}

export function useShadowForecast(gateway_id: string) {
  const { account_id } = useSession();
  return useMutation({
    mutationFn: (body: ShadowBody) =>
      result<DayForecast>(api.POST(`${LIST}/forecast`, { params: { path: { account_id, gateway_id } }, body })),
  });
}

/** One that has ended goes on; what is not named stays as it was. */
export function useResumeShadow(gateway_id: string, shadow_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: ResumeBody) =>
      result<Shadow>(api.POST(`${ONE}/resume`, { params: { path: { account_id, gateway_id, shadow_id } }, body })),
    onSuccess: (shadow) => client.setQueryData(['shadow', gateway_id, shadow_id], shadow),
  });
}

export function useStopShadow(gateway_id: string, shadow_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => result<Shadow>(api.POST(`${ONE}/stop`, { params: { path: { account_id, gateway_id, shadow_id } } })),
    onSuccess: (shadow) => client.setQueryData(['shadow', gateway_id, shadow_id], shadow),
  });
}

export function useDeleteShadow(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (shadow_id: string) => result(api.DELETE(ONE, { params: { path: { account_id, gateway_id, shadow_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['shadows', gateway_id] }),
  });
}
