import { Select } from '@mantine/core';
import { useSnapshots } from '../api/snapshots';

/** The logs that a dataset selects now, rather than those of a snapshot. */
export const LIVE = 'live';

/** The dataset's logs of now, or one of its snapshots. */
export function Logs({
  gateway,
  dataset,
  value,
  onChange,
  error,
}: {
  gateway: string;
  dataset: string | null;
  value: string;
  onChange: (id: string) => void;
  error?: string;
}) {
  const snapshots = useSnapshots(gateway, dataset ?? '', 1, dataset !== null);
  const total = snapshots.data?.info.total_count ?? 0;
  const ready = (snapshots.data?.items ?? []).filter((one) => one.status === 'ready');
  return (
    <Select
      miw={200}
      label="Which of its logs"
      description={total > ready.length && total > 20 ? `Of ${total} snapshots the newest 20.` : undefined}
      data={[
        { value: LIVE, label: 'those that it selects now' },
        ...ready.map((one) => ({ value: one.id, label: `snapshot ${one.name}` })),
      ]}
      value={value}
      onChange={(id) => onChange(id ?? LIVE)}
      error={error ?? snapshots.error?.message}
    />
  );
}
