import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, part, result } from './client';
import type { components } from './schema';
import type { MarginBody } from './trials';
import type { Dataset } from './types';

const LIST = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/monitors';
const ONE = `${LIST}/{monitor_id}` as const;
const BUSY_MS = 1_000;
const QUIET_MS = 15_000;

export type MonitorBody = components['schemas']['MonitorBody'];

export interface Monitor {
  id: string;
  name: string;
  created_at: string;
  modified_at: string;
  enabled: boolean;
  interval_minutes: number;
  settle_seconds: number;
  /** As they were when the monitor was made, or when what it measures was last changed. */
  datasets: Dataset[];
  evaluation_type_ids: string[];
  /** 0 to 1 */
  share: number;
  max_items: number | null;
  daily_max_cost: string | null;
  /** Dollars of this day of UTC; null where there is no cap. */
  spent_today: string | null;
  reference_windows: number;
  baseline_evaluation_id: string | null;
  min_logs: number;
  /** What makes requests alike, as `metadata.user`; null: each stands for itself. */
  cluster_by: string | null;
  weekly_alpha: number;
  /** What each look has of it. */
  alpha: number;
  margins: Record<string, Required<MarginBody>>;
  /** The secret only where it was just made. */
  webhook: { url: string; secret?: string } | null;
  notify_on_failure: boolean;
  keep_windows: number;
  counted_until: string;
  next_at: string | null;
  open_window_id: string | null;
  /** What was told and has not passed: "{finding}:{evaluation type}" */
  raised: string[];
}

export type Finding =
  | 'worse'
  | 'failed'
  | 'cap reached'
  | 'no baseline'
  | 'no logs'
  | 'not enough logs'
  | 'no reference'
  | 'not compared'
  | 'cannot tell'
  | 'worse within the margin'
  | 'better';

/** What a window says of one evaluation type. */
export interface Check {
  evaluation_type_id: string;
  finding: Finding;
  /** It is new, and was told. */
  raised: boolean;
  words: string;
  figure: number | null;
  reference_figure: number | null;
  /** figure - reference_figure, with its 95 % interval. */
  difference: number | null;
  low: number | null;
  high: number | null;
  unit: string | null;
  logs: number;
  reference_logs: number;
  p_value: number | null;
  adjusted_p: number | null;
}

export interface Window {
  id: string;
  created_at: string;
  after: string;
  until: string;
  /** Somebody asked for it. */
  asked: boolean;
  /** Scheduled times that passed before it, whose logs are in it. */
  missed: number;
  evaluation_id: string | null;
  /** null: its evaluation is under way. */
  finding: Finding | null;
  checks: Check[];
  alpha: number | null;
  reference_evaluation_ids: string[];
  total_logs: number;
  /** That came after it was counted, and are in no figure; null: nobody has looked yet. */
  late_logs: number | null;
  notice_id: string | null;
  note: string | null;
  concluded_at: string | null;
}

export interface Notice {
  id: string;
  window_id: string;
  event: 'monitor.alert' | 'monitor.failure';
  created_at: string;
  state: 'pending' | 'delivered' | 'given up' | 'not sent';
  tries: number;
  next_try_at: string | null;
  /** The last of them. */
  tried: { at: string; duration_ms: number; status_code: number | null; error: string | null }[];
  /** The JSON that is sent. */
  body: string;
}

/** Whether a window is under way, or due. */
function isBusy({ open_window_id, next_at }: Monitor): boolean {
  return open_window_id !== null || (next_at !== null && new Date(next_at).getTime() <= Date.now());
}

/** A page of monitors; they go on by themselves, so it is looked at again. */
export function useMonitors(gateway_id: string, page: number) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['monitors', gateway_id, page],
    queryFn: () => part<Monitor>(api.GET(LIST, { params: { path: { account_id, gateway_id }, query: { page, per_page: 20 } } })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(isBusy) ? BUSY_MS : QUIET_MS),
  });
}

export function useMonitor(gateway_id: string, monitor_id: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['monitor', gateway_id, monitor_id],
    queryFn: () => result<Monitor>(api.GET(ONE, { params: { path: { account_id, gateway_id, monitor_id } } })),
    refetchInterval: ({ state }) => (state.data && isBusy(state.data) ? BUSY_MS : QUIET_MS),
  });
}

/** What windows and notices depend on: there is nothing new before one of these has changed. */
function ageOf({ counted_until, open_window_id, raised, modified_at }: Monitor): string {
  return [counted_until, open_window_id, raised, modified_at].join(' ');
}

/** A page of windows, newest first. */
export function useWindows(gateway_id: string, monitor: Monitor, page: number, per_page: number) {
  const { account_id } = useSession();
  const monitor_id = monitor.id;
  return useQuery({
    queryKey: ['windows', gateway_id, monitor_id, page, per_page, ageOf(monitor)],
    queryFn: () =>
      part<Window>(api.GET(`${ONE}/windows`, { params: { path: { account_id, gateway_id, monitor_id }, query: { page, per_page } } })),
    placeholderData: keepPreviousData,
  });
}

/** A page of notices, newest first; looked at again while one is on its way. */
export function useNotices(gateway_id: string, monitor: Monitor, page: number) {
  const { account_id } = useSession();
  const monitor_id = monitor.id;
  return useQuery({
    queryKey: ['notices', gateway_id, monitor_id, page, ageOf(monitor)],
    queryFn: () =>
      part<Notice>(api.GET(`${ONE}/notices`, { params: { path: { account_id, gateway_id, monitor_id }, query: { page, per_page: 10 } } })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some((one) => one.state === 'pending') ? 5 * BUSY_MS : false),
  });
}

/** Creates a monitor, or replaces the one of an id. A secret that was made is in what comes back, this once. */
export function useSaveMonitor(gateway_id: string, monitor_id?: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: MonitorBody) =>
      result<Monitor>(
        monitor_id === undefined
          ? api.POST(LIST, { params: { path: { account_id, gateway_id } }, body })
          : api.PUT(ONE, { params: { path: { account_id, gateway_id, monitor_id } }, body }),
      ),
    onSuccess: (saved) =>
      Promise.all([
        client.invalidateQueries({ queryKey: ['monitors', gateway_id] }),
        client.invalidateQueries({ queryKey: ['monitor', gateway_id, saved.id] }),
      ]),
  });
}

/** A window now. */
export function useRunMonitor(gateway_id: string, monitor_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => result<Monitor>(api.POST(`${ONE}/run`, { params: { path: { account_id, gateway_id, monitor_id } } })),
    onSuccess: (monitor) => client.setQueryData(['monitor', gateway_id, monitor_id], monitor),
  });
}

export function useDeleteMonitor(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (monitor_id: string) => result(api.DELETE(ONE, { params: { path: { account_id, gateway_id, monitor_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['monitors', gateway_id] }),
  });
}
