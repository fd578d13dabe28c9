/** Trials: what replays and shadows have in common. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, part } from './client';
import type { components } from './schema';
import type { Difference, Metric } from './types';

const HERE = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}';
const RUNNING_MS = 3_000;

export type CandidateBody = components['schemas']['CandidateBody'];
export type MarginBody = components['schemas']['MarginBody'];

/** What might have been used instead, as it was asked for. */
export interface Candidate {
  label: string;
  model: string | null;
  system: string | null;
  append_system: string | null;
  parameters: Record<string, unknown>;
  cost_per_token_in: string | null;
  cost_per_token_out: string | null;
}

/** How many items of one side ended how. */
export interface SideProgress {
  label: string;
  replayed: number;
  failed: number;
  skipped: number;
  under_way: number;
  pending: number;
  maybe_paid_twice: number;
  /** Of the failed and the skipped ones. */
  reasons: Record<string, number>;
}

/** Each candidate against what was logged. */
export interface TrialComparison {
  baseline: string;
  sides: { label: string; total_logs: number; results: Metric[] }[];
  differences: Difference[];
}

/** One side of one logged request. */
export interface TrialItem {
  place: number;
  side: number;
  label: string;
  logged_log_id: string;
  log_id: string | null;
  status: 'replayed' | 'failed' | 'skipped' | 'sent' | 'answered';
  reason: string | null;
  note: string | null;
  cost: string | null;
  duration: number | null;
  tokens_in: number | null;
  tokens_out: number | null;
  success: boolean | null;
  maybe_paid_twice: boolean;
  scores: { evaluation_type_id: string; score: number | null; failed: boolean; note: string }[];
  log_deleted: boolean | null;
  response: string | null;
}

/** Of a replay or a shadow: what its items are shown with. */
export interface Trial {
  kind: 'replay' | 'shadow';
  id: string;
  processed: boolean;
  /** The gateway that the calls go through. */
  through: string;
  candidates: Candidate[];
  /** Whether what was logged is out of a snapshot, so that no log has to be there any more. */
  frozen: boolean;
}

export interface ItemChoice {
  side?: number;
  status?: 'replayed' | 'failed' | 'skipped';
  page: number;
  perPage: number;
}

/** Sides of items in the order in which they are sent; looked at again while the trial runs. */
export function useTrialItems(gateway_id: string, { kind, id, processed }: Trial, { side, status, page, perPage }: ItemChoice) {
  const { account_id } = useSession();
  const query = { page, per_page: perPage, ...(side !== undefined && { side }), ...(status !== undefined && { status }) };
  const path = { account_id, gateway_id };
  return useQuery({
    queryKey: ['trial items', gateway_id, id, query, processed],
    queryFn: () =>
      part<TrialItem>(
        kind === 'replay'
          ? api.GET(`${HERE}/replays/{replay_id}/items`, { params: { path: { ...path, replay_id: id }, query } })
          : api.GET(`${HERE}/shadows/{shadow_id}/items`, { params: { path: { ...path, shadow_id: id }, query } }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: processed ? false : RUNNING_MS,
  });
}

/** What a candidate would cost, in dollars; null: nobody knows, and `unknown` says why. */
export interface CandidateForecast {
  label: string;
  expected_cost: string | null;
  low: string | null;
  high: string | null;
  twice_as_long_cost: string | null;
  worst_case_cost: string | null;
  replayable: number;
  skipped: Record<string, number>;
  unknown: string | null;
}
