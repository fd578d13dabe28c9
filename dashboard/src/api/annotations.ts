import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, part, result } from './client';
import type { components } from './schema';
import type { LogDetail } from './types';

const LIST = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/annotation-queues';
const ONE = `${LIST}/{queue_id}` as const;
const SAID = `${ONE}/items/{log_id}/annotations/{annotator}` as const;

export type QueueBody = components['schemas']['QueueBody'];

export interface Progress {
  items: number;
  complete: number;
  begun: number;
  gone: number;
  annotators: Record<string, number>;
}

export interface Queue {
  id: string;
  name: string;
  instructions: string;
  labels: string[];
  positive_labels: string[];
  measure: string;
  annotators_per_item: number;
  datasets: string[];
  /** The snapshot whose items are labelled; null: logs of the gateway are. */
  snapshot: { id: string; dataset_id: string; name: string } | null;
  created_at: string;
  progress: Progress;
}

/** An item that was handed out; null: nothing is left to do. */
export interface Next {
  item: { log_id: string; log: LogDetail } | null;
  progress: Progress;
}

export interface Estimate {
  value: number | null;
  low: number | null;
  high: number | null;
  n: number;
  note: string | null;
}

export interface Agreement {
  marked: number;
  shared: number;
  unjudged: number;
  labels: Record<string, number>;
  alpha: Estimate;
  pairs: { annotators: [string, string]; agreement: Estimate; kappa: Estimate }[];
  disputed: string[];
}

export function useQueues(gateway_id: string, page = 1) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['queues', gateway_id, page],
    queryFn: () => part<Queue>(api.GET(LIST, { params: { path: { account_id, gateway_id }, query: { page, per_page: 50 } } })),
    placeholderData: keepPreviousData,
  });
}

export function useQueue(gateway_id: string, queue_id: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['queues', gateway_id, 'one', queue_id],
    queryFn: () => result<Queue>(api.GET(ONE, { params: { path: { account_id, gateway_id, queue_id } } })),
  });
}

export function useAgreement(gateway_id: string, queue_id: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['queues', gateway_id, 'agreement', queue_id],
    queryFn: () => result<Agreement>(api.GET(`${ONE}/agreement`, { params: { path: { account_id, gateway_id, queue_id } } })),
  });
}

export function useCreateQueue(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: QueueBody) => result<Queue>(api.POST(LIST, { params: { path: { account_id, gateway_id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['queues', gateway_id] }),
  });
}

export function useDeleteQueue(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (queue_id: string) => result(api.DELETE(ONE, { params: { path: { account_id, gateway_id, queue_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['queues', gateway_id] }),
  });
}

/** Hands the next item out; asking again hands out the same one until something is said of it. */
export function useNext(gateway_id: string, queue_id: string, annotator: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['queues', gateway_id, 'next', queue_id, annotator],
    queryFn: () => result<Next>(api.POST(`${ONE}/next`, { params: { path: { account_id, gateway_id, queue_id } }, body: { annotator } })),
    staleTime: Infinity,
    enabled: annotator !== '',
  });
}

export interface Said {
  log_id: string;
  /** undefined: takes back what was said. */
  label: string | null | undefined;
  note: string;
}

/** Keeps what an annotator says of an item, or takes it back; the next item comes after it. */
export function useSay(gateway_id: string, queue_id: string, annotator: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ log_id, label, note }: Said) => {
      const path = { account_id, gateway_id, queue_id, log_id, annotator };
      return result(
        label === undefined ? api.DELETE(SAID, { params: { path } }) : api.PUT(SAID, { params: { path }, body: { label, note } }),
      );
    },
    // not waited for: the next item is what keys are for as soon as it is there
    onSuccess: () => void client.invalidateQueries({ queryKey: ['queues', gateway_id] }),
  });
}

/** A judge's scores held against what most people say. Shares are 0 to 1. */
export interface Calibration {
  threshold: number;
  both_good: number;
  judge_only: number;
  people_only: number;
  both_bad: number;
  tied: number;
  unscored: number;
  agreement: Estimate;
  kappa: Estimate;
  sensitivity: Estimate;
  specificity: Estimate;
  judged: Estimate;
  corrected: Estimate;
}

export interface Held {
  evaluation_id: string;
  evaluation_type_id: string;
  threshold: number;
}

/** Holds a judge against a queue's labels; null: it is not said yet which. */
export function useCalibration(gateway_id: string, queue_id: string, held: Held | null) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['queues', gateway_id, 'calibration', queue_id, held],
    queryFn: () =>
      result<Calibration>(
        api.GET(`${ONE}/calibration`, {
          params: { path: { account_id, gateway_id, queue_id }, query: held ?? { evaluation_id: '', evaluation_type_id: '' } },
        }),
      ),
    enabled: held !== null,
  });
}
