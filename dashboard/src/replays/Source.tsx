import { Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { useDataset, useDatasets } from '../api/datasets';
import { useGateways } from '../api/gateways';
import { useSnapshots } from '../api/snapshots';

/** The logs that a dataset selects now, rather than those of a snapshot. */
export const LIVE = 'live';

interface Props {
  gateway: string;
  value: string | null;
  onChange: (id: string | null) => void;
  error?: string;
}

interface Option {
  value: string;
  label: string;
}

/** A list of which the server finds the part that is searched for; what is chosen stays among it. */
function Searched({
  label,
  description,
  options,
  chosen,
  onSearch,
  onChange,
  error,
}: {
  label: string;
  description?: string;
  options: Option[];
  chosen: Option | null;
  onSearch: (text: string) => void;
  onChange: (id: string | null) => void;
  error?: string;
}) {
  const all = chosen === null || options.some(({ value }) => value === chosen.value) ? options : [chosen, ...options];
  return (
    <Select
      miw={200}
      label={label}
      description={description}
      searchable
      data={all}
      filter={({ options: found }) => found}
      value={chosen?.value ?? null}
      onSearchChange={(text) => onSearch(text === chosen?.label ? '' : text)}
      onChange={onChange}
      nothingFoundMessage="None has such a name"
      error={error}
    />
  );
}

export function DatasetSelect({ gateway, value, onChange, error }: Props) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text, 300);
  const found = useDatasets(gateway, 1, search);
  const chosen = useDataset(gateway, value ?? '', value !== null);
  const options = (found.data?.items ?? []).filter((one) => one.enable).map((one) => ({ value: one.id, label: one.name }));
  return (
    <Searched
      label="Dataset"
      options={options}
      chosen={value === null ? null : { value, label: chosen.data?.name ?? options.find((one) => one.value === value)?.label ?? value }}
      onSearch={setText}
      onChange={onChange}
      error={error ?? (found.error ?? chosen.error)?.message}
    />
  );
}

/** Any gateway but the one whose logs are replayed. */
export function GatewaySelect({ gateway, value, onChange, error }: Props) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text, 300);
  const found = useGateways(search === '' ? undefined : search);
  const options = (found.data?.items ?? []).filter((one) => one.id !== gateway).map((one) => ({ value: one.id, label: one.id }));
  return (
    <Searched
      label="Through the gateway"
      description="Another one, with the providers’ keys."
      options={options}
      chosen={value === null ? null : { value, label: value }}
      onSearch={setText}
      onChange={onChange}
      error={error ?? found.error?.message}
    />
  );
}

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
