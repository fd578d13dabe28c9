import { Badge, Button, Group, Pill, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconListDetails, IconPencil, IconPlus, IconRulerMeasure, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { useDatasets, useDeleteDataset } from '../api/datasets';
import { useCount } from '../api/logs';
import type { Dataset } from '../api/types';
import { worded } from '../logs/filter-keys';
import { Confirm } from '../parts/Confirm';
import { count } from '../parts/format';
import { Action, Ago, type Column, Delete, List, Named } from '../parts/List';
import { Empty } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { DatasetModal } from './DatasetModal';

export default function DatasetsPage({ gateway }: { gateway: string }) {
  const [page, setPage] = useState(1);
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text, 300);
  const [edited, setEdited] = useState<Dataset | 'new' | null>(null);
  const [leaving, setLeaving] = useState<Dataset | null>(null);
  const datasets = useDatasets(gateway, page, search);
  const remove = useDeleteDataset(gateway);
  const mayWrite = useMay('Write');
  const base = `/gateways/${encodeURIComponent(gateway)}`;
  const columns: Column<Dataset>[] = [
    {
      label: 'Name',
      show: (dataset) => (
        <Group gap={6} wrap="nowrap">
          <Named name={dataset.name} href={`${base}/datasets/${dataset.id}`} />
          {!dataset.enable && <Badge color="gray">not for new evaluations</Badge>}
        </Group>
      ),
    },
    { label: 'Filters', show: ({ filters }) => <Filters filters={filters} /> },
    { label: 'Logs now', end: true, show: (dataset) => <LogsNow gateway={gateway} dataset={dataset} /> },
    { label: 'Changed', show: ({ modified_at }) => <Ago at={modified_at} /> },
  ];
  const actions = (dataset: Dataset) => (
    <>
      <Action
        label="Its logs"
        name={`The logs of ${dataset.name}`}
        icon={<IconListDetails size={16} />}
        href={`${base}/logs?filters=${encodeURIComponent(JSON.stringify(dataset.filters))}`}
      />
      {mayWrite && dataset.enable && (
        <Action label="Evaluate" of={dataset.name} icon={<IconRulerMeasure size={16} />} href={`${base}/evaluations?new=${dataset.id}`} />
      )}
      {mayWrite && <Action label="Change" of={dataset.name} icon={<IconPencil size={16} />} onClick={() => setEdited(dataset)} />}
      {mayWrite && <Delete of={dataset.name} onClick={() => setLeaving(dataset)} />}
    </>
  );
  return (
    <Page
      title="Datasets"
      actions={
        mayWrite && (
          <Button leftSection={<IconPlus size={14} />} onClick={() => setEdited('new')}>
            New dataset
          </Button>
        )
      }
    >
      <TextInput
        aria-label="Search datasets"
        placeholder="Search in names and filters"
        leftSection={<IconSearch size={14} />}
        w={260}
        mb="xs"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setPage(1);
        }}
      />
      <List
        label="Datasets"
        query={datasets}
        columns={columns}
        actions={actions}
        onPage={setPage}
        empty={
          <Empty title={search ? 'No dataset matches' : 'There is no dataset yet'}>
            {search
              ? 'The search looks into ids, names and filters.'
              : 'A dataset is a name for filters over the logs. Make one here, or on the Logs page from the filters that are set there. Evaluations are made from datasets.'}
          </Empty>
        }
      />
      {edited !== null && (
        <DatasetModal
          gateway={gateway}
          filters={edited === 'new' ? [] : edited.filters}
          dataset={edited === 'new' ? undefined : edited}
          onClose={() => setEdited(null)}
        />
      )}
      {leaving !== null && (
        <Confirm title="Delete the dataset?" change={remove} id={leaving.id} onClose={() => setLeaving(null)}>
          “{leaving.name}” goes; its logs stay, and evaluations keep the copy of it that they were made from.
        </Confirm>
      )}
    </Page>
  );
}

function Filters({ filters }: { filters: Dataset['filters'] }) {
  if (filters.length === 0)
    return (
      <Text size="xs" c="dimmed">
        all logs
      </Text>
    );
  return (
    <Group gap={4}>
      {filters.map((filter, index) => (
        <Pill key={index} size="xs" maw={360} title={worded(filter)}>
          {worded(filter)}
        </Pill>
      ))}
    </Group>
  );
}

function LogsNow({ gateway, dataset }: { gateway: string; dataset: Dataset }) {
  const matching = useCount(gateway, dataset.filters);
  return matching.isError ? '?' : matching.data === undefined ? '…' : matching.data === null ? 'very many' : count(matching.data);
}
