import { keepPreviousData, queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useMay, useSession } from '../session/SessionContext';
import { api, part, result } from './client';
import type { components } from './schema';
import type { Breakdown, Comparison, Criterion, Evaluation, EvaluationType, Item, Log } from './types';

const LIST = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/evaluations';
const ONE = `${LIST}/{evaluation_id}` as const;
const TYPES = '/client/v4/accounts/{account_id}/ai-gateway/evaluation-types';
const RUNNING_MS = 1_000;
const TRIED_LOGS = 5;

export type EvaluationBody = components['schemas']['EvaluationBody'];

export function useEvaluationTypes() {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['evaluation-types'],
    queryFn: () => allTypes(account_id),
    staleTime: Infinity,
  });
}

/** Every page of them: an evaluation may ask any. */
async function allTypes(account_id: string): Promise<EvaluationType[]> {
  const found: EvaluationType[] = [];
  for (let page = 1; ; page += 1) {
    const query = { page, per_page: 50 };
    const { items } = await part<EvaluationType>(api.GET(TYPES, { params: { path: { account_id }, query } }));
    found.push(...items);
    if (items.length < query.per_page) return found;
  }
}

/** A page of evaluations, looked at again while any of them runs. */
export function useEvaluations(gateway_id: string, page: number, search: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['evaluations', gateway_id, page, search],
    queryFn: () =>
      part<Evaluation>(
        api.GET(LIST, { params: { path: { account_id, gateway_id }, query: { page, per_page: 50, ...(search && { search }) } } }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some((one) => !one.processed) ? RUNNING_MS : false),
  });
}

/** One evaluation, looked at again while it runs. */
export function evaluationQuery(account_id: string, gateway_id: string, evaluation_id: string) {
  return queryOptions({
    queryKey: ['evaluation', gateway_id, evaluation_id],
    queryFn: () => result<Evaluation>(api.GET(ONE, { params: { path: { account_id, gateway_id, evaluation_id } } })),
    refetchInterval: ({ state }) => (state.data?.processed === false ? RUNNING_MS : false),
  });
}

export function useEvaluation(gateway_id: string, evaluation_id: string, enabled = true) {
  return useQuery({ ...evaluationQuery(useSession().account_id, gateway_id, evaluation_id), enabled });
}

export function useCreateEvaluation(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: EvaluationBody) => result<Evaluation>(api.POST(LIST, { params: { path: { account_id, gateway_id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['evaluations', gateway_id] }),
  });
}

export function useDeleteEvaluation(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (evaluation_id: string) => result(api.DELETE(ONE, { params: { path: { account_id, gateway_id, evaluation_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['evaluations', gateway_id] }),
  });
}

export type NewType = components['schemas']['NewType'];

/** An evaluator with parameters, under an id of its own. */
export function useCreateType() {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewType) => result<EvaluationType>(api.POST(TYPES, { params: { path: { account_id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['evaluation-types'] }),
  });
}

export function useDeleteType() {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (type_id: string) => result(api.DELETE(`${TYPES}/{type_id}`, { params: { path: { account_id, type_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['evaluation-types'] }),
  });
}

/** What an evaluator says of one log, before a question is made of it. */
export interface Tried {
  log: Log;
  status: 'scored' | 'failed' | 'skipped';
  score: number | null;
  note: string | null;
}

/** Tries an evaluator with parameters on the newest logs that match; nothing is kept. */
export function useTryType(gateway_id: string) {
  const { account_id } = useSession();
  return useMutation({
    mutationFn: async ({ filters, ...body }: { evaluator_id: string; parameters: Record<string, unknown>; filters: Criterion[] }) => {
      const query = { page: 1, per_page: TRIED_LOGS, ...(filters.length > 0 && { filters: [JSON.stringify(filters)] }) };
      const logs = await part<Log>(
        api.GET('/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/logs', {
          params: { path: { account_id, gateway_id }, query },
        }),
      );
      if (logs.items.length === 0) throw new Error('There is no log to try it on.');
      const log_ids = logs.items.map(({ id }) => id);
      const tried = await result<Omit<Tried, 'log'>[]>(
        api.POST(`${TYPES}/try`, { params: { path: { account_id } }, body: { ...body, gateway_id, log_ids } }),
      );
      return tried.map((one, index): Tried => ({ ...one, log: logs.items[index] as Log }));
    },
  });
}

/** The logs behind a figure, worst first. */
export function useItems(gateway_id: string, evaluation_id: string, evaluation_type_id: string, page: number) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['items', gateway_id, evaluation_id, evaluation_type_id, page],
    queryFn: () =>
      part<Item>(
        api.GET(`${ONE}/items`, {
          params: { path: { account_id, gateway_id, evaluation_id }, query: { evaluation_type_id, page, per_page: 20, order_by: 'worst' } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** Cancels, resumes, or tries again what failed. */
export function useRun(gateway_id: string, evaluation_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  const params = { params: { path: { account_id, gateway_id, evaluation_id } } };
  return useMutation({
    mutationFn: (what: 'cancel' | 'resume' | 'retry') =>
      result<Evaluation>(
        what === 'cancel'
          ? api.POST(`${ONE}/cancel`, params)
          : what === 'resume'
            ? api.POST(`${ONE}/resume`, params)
            : api.POST(`${ONE}/retry`, params),
      ),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ['evaluation', gateway_id, evaluation_id] }),
        client.invalidateQueries({ queryKey: ['items', gateway_id, evaluation_id] }),
      ]),
  });
}

/** The first evaluation against each of the others, with the verdict in words. Nothing of it is kept. */
export function useComparison(gateway_id: string, sides: Evaluation[], evaluation_type_ids: string[]) {
  const { account_id } = useSession();
  const mayAsk = useMay('Write'); // it is a POST
  const body = { sides: sides.map(({ id, name }) => ({ evaluation_id: id, label: name })), evaluation_type_ids };
  return useQuery({
    queryKey: ['comparison', gateway_id, body],
    queryFn: () =>
      result<Comparison>(
        api.POST('/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/comparisons', {
          params: { path: { account_id, gateway_id } },
          body,
        }),
      ),
    enabled: mayAsk && sides.length > 1 && evaluation_type_ids.length > 0,
    staleTime: 60_000,
  });
}

/** An evaluation's figures for each provider, model or metadata value. */
export function useBreakdown(gateway_id: string, evaluation_id: string, by: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['breakdown', gateway_id, evaluation_id, by],
    queryFn: () =>
      result<Breakdown>(api.GET(`${ONE}/breakdown`, { params: { path: { account_id, gateway_id, evaluation_id }, query: { by } } })),
    enabled: by !== '' && by !== 'metadata.',
  });
}
