import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, part, result } from './client';
import type { components } from './schema';

const LIST = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/provider_configs';
const ONE = `${LIST}/{config_id}` as const;

/** A stored provider key: never the key itself. */
export interface StoredKey {
  id: string;
  provider_slug: string;
  alias: string;
  default_config: boolean;
  secret_preview: string;
  rate_limit?: number;
  rate_limit_period?: number;
  created_at: string;
  modified_at: string;
}

export type NewKey = components['schemas']['NewProviderConfig'];
export type KeyChange = components['schemas']['ProviderConfigChange'];

export function useStoredKeys(gateway_id: string, page: number) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['keys', gateway_id, page],
    queryFn: () => part<StoredKey>(api.GET(LIST, { params: { path: { account_id, gateway_id }, query: { page, per_page: 50 } } })),
  });
}

/** Stores a key, or puts another in the place of one. Nothing of it stays in the page's memory. */
export function useSaveKey(gateway_id: string, config_id?: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    gcTime: 0,
    mutationFn: (body: NewKey) => {
      if (config_id === undefined) return result<StoredKey>(api.POST(LIST, { params: { path: { account_id, gateway_id } }, body }));
      const { secret, default_config, rate_limit, rate_limit_period } = body;
      const change: KeyChange = { secret: secret ?? '', default_config, rate_limit, rate_limit_period };
      return result<StoredKey>(api.PUT(ONE, { params: { path: { account_id, gateway_id, config_id } }, body: change }));
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['keys', gateway_id] }),
  });
}

export function useDeleteKey(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (config_id: string) => result(api.DELETE(ONE, { params: { path: { account_id, gateway_id, config_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['keys', gateway_id] }),
  });
}
