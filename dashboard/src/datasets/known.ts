import { useState } from 'react';
import { useDatasets } from '../api/datasets';
import type { Dataset } from '../api/types';

/** The datasets that searches have found so far and that may be used, by id: what was chosen stays known. */
export function useKnownDatasets(gateway: string, search: string) {
  const { data, isPending, error } = useDatasets(gateway, 1, search);
  const [known, setKnown] = useState<Record<string, Dataset>>({});
  const found = (data?.items ?? []).filter((one) => one.enable && known[one.id] === undefined);
  if (found.length > 0) setKnown((before) => ({ ...before, ...Object.fromEntries(found.map((one) => [one.id, one])) }));
  return { known, isPending, error };
}
