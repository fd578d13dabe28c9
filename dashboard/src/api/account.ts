import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, part, result } from './client';
import type { components } from './schema';

const TOKENS = '/client/v4/accounts/{account_id}/ai-gateway/tokens';
const PROVIDERS = '/client/v4/accounts/{account_id}/ai-gateway/custom-providers';

export interface Token {
  id: string;
  name: string;
  permissions: string[];
  created_at: string;
  expires_on: string | null;
  status: 'active' | 'expired';
}

export interface CustomProvider {
  id: string;
  name: string;
  slug: string;
  base_url: string;
  description: string | null;
  enable: boolean;
  headers: string | null;
}

export type TokenBody = components['schemas']['TokenBody'];
export type NewProvider = components['schemas']['NewProvider'];

export function useTokens(page: number) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['tokens', page],
    queryFn: () => part<Token>(api.GET(TOKENS, { params: { path: { account_id }, query: { page, per_page: 50 } } })),
    placeholderData: keepPreviousData,
  });
}

export function useCreateToken() {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: TokenBody) => result<Token & { value: string }>(api.POST(TOKENS, { params: { path: { account_id } }, body })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  });
}

export function useRevokeToken() {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (token_id: string) => result(api.DELETE(`${TOKENS}/{token_id}`, { params: { path: { account_id, token_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  });
}

export function useProviders(page = 1) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['providers', page],
    queryFn: () => part<CustomProvider>(api.GET(PROVIDERS, { params: { path: { account_id }, query: { page, per_page: 100 } } })),
    placeholderData: keepPreviousData,
  });
}

/** Adds a custom provider, or changes the one of an id. */
export function useSaveProvider(provider_id?: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: NewProvider) =>
      result<CustomProvider>(
        provider_id === undefined
          ? api.POST(PROVIDERS, { params: { path: { account_id } }, body })
          : api.PATCH(`${PROVIDERS}/{provider_id}`, { params: { path: { account_id, provider_id } }, body }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['providers'] }),
  });
}

export function useDeleteProvider() {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (provider_id: string) =>
      result(api.DELETE(`${PROVIDERS}/{provider_id}`, { params: { path: { account_id, provider_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['providers'] }),
  });
}
