import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, part, result } from './client';
import type { components } from './schema';
import type { Dataset } from './types';

const LIST = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/datasets';
const ONE = `${LIST}/{dataset_id}` as const;

export type DatasetBody = components['schemas']['DatasetBody'];

export function useDatasets(gateway_id: string, page = 1, search = '') {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['datasets', gateway_id, page, search],
    queryFn: () =>
      part<Dataset>(
        api.GET(LIST, { params: { path: { account_id, gateway_id }, query: { page, per_page: 50, ...(search && { search }) } } }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function useDataset(gateway_id: string, dataset_id: string, enabled = true) {
  const { account_id } = useSession();
  return useQuery({
    enabled,
    queryKey: ['datasets', gateway_id, 'one', dataset_id],
    queryFn: () => result<Dataset>(api.GET(ONE, { params: { path: { account_id, gateway_id, dataset_id } } })),
  });
}

/** Creates a dataset, or replaces the one of an id. */
export function useSaveDataset(gateway_id: string, dataset_id?: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: DatasetBody) =>
      result<Dataset>(
        dataset_id === undefined
          ? api.POST(LIST, { params: { path: { account_id, gateway_id } }, body })
          : api.PUT(ONE, { params: { path: { account_id, gateway_id, dataset_id } }, body }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ['datasets', gateway_id] }),
  });
}

export function useDeleteDataset(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (dataset_id: string) => result(api.DELETE(ONE, { params: { path: { account_id, gateway_id, dataset_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['datasets', gateway_id] }),
  });
}
