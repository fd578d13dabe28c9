import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, part, result } from './client';
import type { components } from './schema';
import type { Gateway } from './types';

const LIST = '/client/v4/accounts/{account_id}/ai-gateway/gateways';
const ONE = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}';

export type NewGateway = components['schemas']['NewGateway'];
export type GatewaySettings = components['schemas']['GatewaySettings'];

/** What a gateway needs at creation, all of it off but the logs. */
export const PLAIN: Omit<NewGateway, 'id'> = {
  cache_invalidate_on_update: false,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
};

export function useGateways(search?: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['gateways', search],
    queryFn: () => part<Gateway>(api.GET(LIST, { params: { path: { account_id }, query: { per_page: 100, search } } })),
    placeholderData: keepPreviousData,
  });
}

export function useGateway(gateway_id: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['gateway', gateway_id],
    queryFn: () => result<Gateway>(api.GET(ONE, { params: { path: { account_id, gateway_id } } })),
  });
}

export function useCreateGateway() {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewGateway) => result<Gateway>(api.POST(LIST, { params: { path: { account_id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['gateways'] }),
  });
}

/** The gateway's address for a provider's own client; `universal`: the gateway's own. */
export function useGatewayUrl(gateway_id: string, provider: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['url', gateway_id, provider],
    queryFn: () => result<string>(api.GET(`${ONE}/url/{provider}`, { params: { path: { account_id, gateway_id, provider } } })),
    staleTime: Infinity,
  });
}

export interface Available {
  name: string;
  available: boolean;
  note: string | null;
}

/** Every setting of gateways, and whether this version acts on it. */
export function useSettingNames() {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['gateway-settings'],
    queryFn: () =>
      result<Available[]>(api.GET('/client/v4/accounts/{account_id}/ai-gateway/gateway-settings', { params: { path: { account_id } } })),
    staleTime: Infinity,
  });
}

/** Changes some settings. A PUT replaces all of them, so it begins with those that hold now. */
/** `onSaved` is called also where the form that asked for the change is gone by then. */
export function useChangeGateway(gateway_id: string, names: string[], onSaved: () => void) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (changes: Partial<GatewaySettings>) => {
      const path = { account_id, gateway_id };
      const now = await result<Gateway>(api.GET(ONE, { params: { path } }));
      const kept = Object.fromEntries(names.map((name) => [name, now[name] === '' ? null : now[name]]));
      return result<Gateway>(api.PUT(ONE, { params: { path }, body: { ...kept, ...changes } as GatewaySettings }));
    },
    onSuccess: () => {
      onSaved();
      return Promise.all([
        client.invalidateQueries({ queryKey: ['gateway', gateway_id] }),
        client.invalidateQueries({ queryKey: ['gateways'] }),
      ]);
    },
  });
}

export function useDeleteGateway(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => result(api.DELETE(ONE, { params: { path: { account_id, gateway_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['gateways'] }),
  });
}

export interface Budget {
  rule_id: string;
  partition: Record<string, string>;
  limit: string;
  spent: string;
  reserved: string;
  remaining: string;
  window: number;
}

/** How the spend limits stand. */
export function useBudgets(gateway_id: string, enabled: boolean) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['budgets', gateway_id],
    queryFn: () => part<Budget>(api.GET(`${ONE}/spend_limits`, { params: { path: { account_id, gateway_id }, query: { per_page: 100 } } })),
    enabled,
  });
}
