import { useProviders } from './account';
import { useAnalytics } from './analytics';

/** The account's own providers, and those that the gateway has seen. */
export function useKnownProviders(gateway: string): string[] {
  const own = useProviders();
  const seen = useAnalytics(gateway, 720, 'provider', 20, false);
  const names = [...(own.data?.items ?? []).map((one) => `custom-${one.slug}`), ...(seen.data?.series ?? []).map((one) => one.group)];
  return [...new Set(names.filter((one): one is string => typeof one === 'string' && one !== ''))];
}
