import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import type { Element } from '../routes/elements';
import { api, result, whole } from './client';

const LIST = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/routes';
const ONE = `${LIST}/{route_id}` as const;
const MOST = 100;

export interface Deployment {
  deployment_id: string;
  version_id: string;
  created_at: string;
}

export interface Version {
  version_id: string;
  created_at: string;
  /** Its elements, as JSON. */
  data: string;
  active: 'true' | 'false';
  /** false: a custom provider that it names has gone since. */
  is_valid: boolean;
}

export interface Route {
  id: string;
  name: string;
  created_at: string;
  modified_at: string;
  elements: Element[];
  deployment: Deployment;
  version: Version;
}

interface Counted {
  page: number;
  per_page: number;
  total_count: number | null;
}

export function useRoutes(gateway_id: string, page: number) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['routes', gateway_id, page],
    queryFn: async () => {
      const query = { page, per_page: 50 };
      const { data } = await whole<{ data: Counted & { routes: Route[] } }>(
        api.GET(LIST, { params: { path: { account_id, gateway_id }, query } }),
      );
      return { items: data.routes, info: { ...query, count: data.routes.length, total_count: data.total_count } };
    },
  });
}

export function useRoute(gateway_id: string, route_id: string) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['route', gateway_id, route_id],
    queryFn: () => result<Route>(api.GET(ONE, { params: { path: { account_id, gateway_id, route_id } } })),
  });
}

/** The newest versions and deployments, each newest first. */
export function useHistory(gateway_id: string, route_id: string) {
  const { account_id } = useSession();
  const params = { params: { path: { account_id, gateway_id, route_id }, query: { per_page: MOST } } };
  return useQuery({
    queryKey: ['route', gateway_id, route_id, 'history'],
    queryFn: async () => {
      const [versions, deployments] = await Promise.all([
        whole<{ data: Counted & { versions: Version[] } }>(api.GET(`${ONE}/versions`, params)),
        whole<{ data: Counted & { deployments: Deployment[] } }>(api.GET(`${ONE}/deployments`, params)),
      ]);
      return {
        versions: numbered(versions.data),
        versionCount: versions.data.total_count,
        deployments: deployments.data.deployments,
        deploymentCount: deployments.data.total_count,
      };
    },
  });
}

export interface NumberedVersion extends Version {
  /** 1 is the oldest; null: not known. */
  number: number | null;
}

function numbered({ versions, total_count }: Counted & { versions: Version[] }): NumberedVersion[] {
  const total = total_count ?? versions.length;
  return versions.map((version, index) => ({ ...version, number: total - index }));
}

function useChanged(gateway_id: string) {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: ['routes', gateway_id] }),
      client.invalidateQueries({ queryKey: ['route', gateway_id] }),
    ]);
}

export function useCreateRoute(gateway_id: string) {
  const { account_id } = useSession();
  const changed = useChanged(gateway_id);
  return useMutation({
    mutationFn: (body: { name: string; elements: Element[] }) =>
      result<Route>(api.POST(LIST, { params: { path: { account_id, gateway_id } }, body })),
    onSuccess: changed,
  });
}

export function useRenameRoute(gateway_id: string, route_id: string) {
  const { account_id } = useSession();
  const changed = useChanged(gateway_id);
  return useMutation({
    mutationFn: (name: string) => whole(api.PATCH(ONE, { params: { path: { account_id, gateway_id, route_id } }, body: { name } })),
    onSuccess: changed,
  });
}

export function useDeleteRoute(gateway_id: string) {
  const { account_id } = useSession();
  const client = useQueryClient();
  return useMutation({
    mutationFn: (route_id: string) => result(api.DELETE(ONE, { params: { path: { account_id, gateway_id, route_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['routes', gateway_id] }),
  });
}

/** Keeps elements as another version; it answers no request before it is deployed. */
export function useCreateVersion(gateway_id: string, route_id: string) {
  const { account_id } = useSession();
  const changed = useChanged(gateway_id);
  return useMutation({
    mutationFn: (elements: Element[]) =>
      result<Version>(api.POST(`${ONE}/versions`, { params: { path: { account_id, gateway_id, route_id } }, body: { elements } })),
    onSuccess: changed,
  });
}

/** Puts a version to work at once. */
export function useDeploy(gateway_id: string, route_id: string) {
  const { account_id } = useSession();
  const changed = useChanged(gateway_id);
  return useMutation({
    mutationFn: (version_id: string) =>
      result<Route>(api.POST(`${ONE}/deployments`, { params: { path: { account_id, gateway_id, route_id } }, body: { version_id } })),
    onSuccess: changed,
  });
}
