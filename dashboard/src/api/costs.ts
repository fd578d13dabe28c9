import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, part, result } from './client';
import type { components } from './schema';

const LIST = '/client/v4/accounts/{account_id}/ai-gateway/custom-providers/costs';
const ONE = `${LIST}/{rule_id}` as const;

export type ModelRule = 'equals' | 'starts-with' | 'contains';
export type NewRule = components['schemas']['NewCostRule'];

export interface CostRule {
  id: string;
  account_provider_id: string | null;
  provider: string | null;
  gateway_id: string | null;
  model: string;
  model_rule: ModelRule;
  /** JSON in a text, with exact decimals. */
  token_pricing: string;
  enable: boolean;
  weight: number;
  valid_from: string | null;
  valid_until: string | null;
  created_at: string;
  modified_at: string;
}

export function useCostRules(page: number) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['cost-rules', page],
    queryFn: () => part<CostRule>(api.GET(LIST, { params: { path: { account_id }, query: { page, per_page: 50 } } })),
  });
}

/** Adds a rule, or changes the one of an id. */
export function useSaveRule(rule_id?: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewRule) =>
      result<CostRule>(
        rule_id === undefined
          ? api.POST(LIST, { params: { path: { account_id } }, body })
          : api.PATCH(ONE, { params: { path: { account_id, rule_id } }, body }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['cost-rules'] }),
  });
}

export function useDeleteRule() {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (rule_id: string) => result(api.DELETE(ONE, { params: { path: { account_id, rule_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['cost-rules'] }),
  });
}
