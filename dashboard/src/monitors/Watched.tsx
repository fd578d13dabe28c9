import { MultiSelect, Radio, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { Monitor } from '../api/monitors';
import { Counted } from '../datasets/DatasetModal';
import { useKnownDatasets } from '../datasets/known';
import { FilterBar } from '../logs/FilterBar';
import type { PartProps, Source } from './draft';

const MOST_DATASETS = 5;
const SOURCES: { value: Source; label: string }[] = [
  { value: 'all', label: 'All logs of the gateway' },
  { value: 'datasets', label: 'The logs of datasets, as these are now' },
  { value: 'filters', label: 'Logs that match filters of its own' },
];

/** Which logs. */
export function Watched({ gateway, draft, set, about, kept }: PartProps & { gateway: string; kept?: Monitor }) {
  const [search, setSearch] = useState('');
  const { known, error } = useKnownDatasets(gateway, search);
  return (
    <>
      <Radio.Group label="Which logs" value={draft.source} onChange={(source) => set({ source: source as Source })}>
        <Stack gap={6} mt={4}>
          {kept && <Radio size="xs" value="kept" label={`As so far: ${kept.datasets.map((one) => one.name).join(', ')}`} />}
          {SOURCES.map(({ value, label }) => (
            <Radio key={value} size="xs" value={value} label={label} />
          ))}
        </Stack>
      </Radio.Group>
      {draft.source === 'datasets' && (
        <MultiSelect
          label="Datasets"
          description="A log that is in several of them counts once. Later changes of them do not change the monitor."
          required
          searchable
          hidePickedOptions
          maxValues={MOST_DATASETS}
          data={Object.values(known).map((one) => ({ value: one.id, label: one.name }))}
          value={draft.datasets}
          onSearchChange={setSearch}
          onChange={(datasets) => set({ datasets })}
          error={about('dataset_ids') ?? error?.message}
        />
      )}
      {draft.source === 'filters' && (
        <Stack gap={4}>
          <FilterBar filters={draft.filters} onChange={(filters) => set({ filters })} forDataset />
          <Counted gateway={gateway} filters={draft.filters} />
          {about('filters') && (
            <Text size="xs" className="bad" role="alert">
              {about('filters')}
            </Text>
          )}
        </Stack>
      )}
    </>
  );
}
