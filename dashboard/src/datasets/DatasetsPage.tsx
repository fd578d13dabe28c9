import {
  ActionIcon,
  Anchor,
  Badge,
  Button,
  Card,
  Group,
  Modal,
  Pagination,
  Pill,
  Stack,
  Table,
  Text,
  TextInput,
  Tooltip,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconListDetails, IconPencil, IconPlus, IconRulerMeasure, IconSearch, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { useDatasets, useDeleteDataset } from '../api/datasets';
import { useCount } from '../api/logs';
import type { Dataset } from '../api/types';
import { worded } from '../logs/filter-keys';
import { ago, count, fullMoment } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
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
  const mayWrite = useMay('Write');
  const total = datasets.data?.info.total_count ?? 0;
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
      <Card padding={0}>
        {datasets.isPending && <Loading />}
        {datasets.isError && <Failed problem={datasets.error} retry={() => void datasets.refetch()} />}
        {datasets.data?.items.length === 0 && (
          <Empty title={search ? 'No dataset matches' : 'There is no dataset yet'}>
            {search
              ? 'The search looks into ids, names and filters.'
              : 'A dataset is a name for filters over the logs. Make one here, or on the Logs page from the filters that are set there. Evaluations are made from datasets.'}
          </Empty>
        )}
        {datasets.data && datasets.data.items.length > 0 && (
          <Table.ScrollContainer minWidth={640} type="native">
            <Table className="rows" aria-label="Datasets">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>Filters</Table.Th>
                  <Table.Th className="end">Logs now</Table.Th>
                  <Table.Th>Changed</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {datasets.data.items.map((dataset) => (
                  <DatasetRow
                    key={dataset.id}
                    gateway={gateway}
                    dataset={dataset}
                    mayWrite={mayWrite}
                    onEdit={() => setEdited(dataset)}
                    onDelete={() => setLeaving(dataset)}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {total > 50 && <Pagination mt="sm" size="sm" total={Math.ceil(total / 50)} value={page} onChange={setPage} />}
      {edited !== null && (
        <DatasetModal
          gateway={gateway}
          filters={edited === 'new' ? [] : edited.filters}
          dataset={edited === 'new' ? undefined : edited}
          onClose={() => setEdited(null)}
        />
      )}
      {leaving !== null && <DeleteDataset gateway={gateway} dataset={leaving} onClose={() => setLeaving(null)} />}
    </Page>
  );
}

interface RowProps {
  gateway: string;
  dataset: Dataset;
  mayWrite: boolean;
  onEdit: () => void;
  onDelete: () => void;
}

function DatasetRow({ gateway, dataset, mayWrite, onEdit, onDelete }: RowProps) {
  const matching = useCount(gateway, dataset.filters);
  const base = `/gateways/${encodeURIComponent(gateway)}`;
  const size = matching.isError ? '?' : matching.data === undefined ? '…' : matching.data === null ? 'very many' : count(matching.data);
  const logs = `${base}/logs?filters=${encodeURIComponent(JSON.stringify(dataset.filters))}`;
  return (
    <Table.Tr>
      <Table.Td>
        <Group gap={6} wrap="nowrap">
          <Anchor component={Link} href={`${base}/datasets/${dataset.id}`} size="sm" fw={600} className="cell" title={dataset.name}>
            {dataset.name}
          </Anchor>
          {!dataset.enable && <Badge color="gray">not for new evaluations</Badge>}
        </Group>
      </Table.Td>
      <Table.Td>
        <Group gap={4}>
          {dataset.filters.length === 0 ? (
            <Text size="xs" c="dimmed">
              all logs
            </Text>
          ) : (
            dataset.filters.map((filter, index) => (
              <Pill key={index} size="xs" title={worded(filter)}>
                {worded(filter)}
              </Pill>
            ))
          )}
        </Group>
      </Table.Td>
      <Table.Td className="end figures">{size}</Table.Td>
      <Table.Td title={fullMoment(dataset.modified_at)}>{ago(dataset.modified_at)}</Table.Td>
      <Table.Td className="end">
        <Group gap={2} wrap="nowrap" justify="flex-end">
          <Tooltip label="Its logs">
            <ActionIcon component={Link} href={logs} aria-label={`The logs of ${dataset.name}`}>
              <IconListDetails size={16} />
            </ActionIcon>
          </Tooltip>
          {mayWrite && (
            <>
              {dataset.enable && (
                <Tooltip label="Evaluate">
                  <ActionIcon component={Link} href={`${base}/evaluations?new=${dataset.id}`} aria-label={`Evaluate ${dataset.name}`}>
                    <IconRulerMeasure size={16} />
                  </ActionIcon>
                </Tooltip>
              )}
              <Tooltip label="Change">
                <ActionIcon onClick={onEdit} aria-label={`Change ${dataset.name}`}>
                  <IconPencil size={16} />
                </ActionIcon>
              </Tooltip>
              <Tooltip label="Delete">
                <ActionIcon onClick={onDelete} aria-label={`Delete ${dataset.name}`}>
                  <IconTrash size={16} />
                </ActionIcon>
              </Tooltip>
            </>
          )}
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

export function DeleteDataset({ gateway, dataset, onClose }: { gateway: string; dataset: Dataset; onClose: () => void }) {
  const remove = useDeleteDataset(gateway);
  return (
    <Modal opened onClose={onClose} title="Delete the dataset?">
      <Stack>
        <Text size="sm">“{dataset.name}” goes; its logs stay, and evaluations keep the copy of it that they were made from.</Text>
        {remove.isError && <Failed problem={remove.error} />}
        <Group>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(dataset.id, { onSuccess: onClose })}>
            Delete
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
