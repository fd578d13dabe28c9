import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useSession } from '../session/SessionContext';
import { api, result } from './client';
import type { components } from './schema';

export type Analytics = components['schemas']['AnalyticsView'];
export type Figures = components['schemas']['FiguresView'];
export type Series = components['schemas']['SeriesView'];
export type Grouping = Exclude<Analytics['group_by'], 'gateway' | 'cached'>;

const ACCOUNT = '/client/v4/accounts/{account_id}/ai-gateway/analytics';
const GATEWAY = '/client/v4/accounts/{account_id}/ai-gateway/gateways/{gateway_id}/analytics';
export const LIVE_MS = 5_000;

/** Figures of a gateway over the last hours. */
export function useAnalytics(gateway_id: string, hours: number, group_by: Grouping, top: number, live: boolean) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['analytics', gateway_id, hours, group_by, top],
    queryFn: () => {
      const query = { start: before(hours), group_by, ...(group_by !== 'none' && { top }) };
      return result<Analytics>(api.GET(GATEWAY, { params: { path: { account_id, gateway_id }, query } }));
    },
    placeholderData: keepPreviousData,
    refetchInterval: live ? LIVE_MS : false,
  });
}

/** Figures of every gateway over the last hours. */
export function useGatewayFigures(hours: number) {
  const { account_id } = useSession();
  return useQuery({
    queryKey: ['analytics', 'gateways', hours],
    queryFn: () =>
      result<Analytics>(
        api.GET(ACCOUNT, {
          params: { path: { account_id }, query: { start: before(hours), bucket: 'day', group_by: 'gateway', top: 100 } },
        }),
      ),
  });
}

function before(hours: number): string {
  return new Date(Date.now() - hours * 3_600_000).toISOString();
}
