import {
  ActionIcon,
  Badge,
  Button,
  Card,
  Checkbox,
  Group,
  Menu,
  Modal,
  NumberInput,
  Pagination,
  Stack,
  Table,
  Text,
  TextInput,
  Title,
  Tooltip,
} from '@mantine/core';
import { IconDownload, IconSnowflake, IconTrash } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/client';
import { type Exported, type Snapshot, useDeleteSnapshot, useExport, useFreeze, useSnapshots } from '../api/snapshots';
import type { Dataset } from '../api/types';
import { CopyIcon } from '../parts/Copy';
import { ago, count, fullMoment } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { SnapshotItems } from './SnapshotItems';

const COLOURS: Record<Snapshot['status'], string> = { queued: 'gray', running: 'blue', open: 'blue', ready: 'gauge', failed: 'red' };

/** The frozen versions of a dataset: what an evaluation of them says, it says again next year. */
export function Snapshots({ gateway, dataset }: { gateway: string; dataset: Dataset }) {
  const [page, setPage] = useState(1);
  const [freezing, setFreezing] = useState(false);
  const [leaving, setLeaving] = useState<Snapshot | null>(null);
  const [opened, setOpened] = useState<string | null>(null);
  const snapshots = useSnapshots(gateway, dataset.id, page);
  const mayWrite = useMay('Write');
  const total = snapshots.data?.info.total_count ?? 0;
  const shown = snapshots.data?.items.find((one) => one.id === opened);
  return (
    <>
      <Card padding={0}>
        <Group justify="space-between" p="sm" pb={4}>
          <Title order={2}>Snapshots</Title>
          {mayWrite && (
            <Button variant="default" leftSection={<IconSnowflake size={14} />} onClick={() => setFreezing(true)}>
              Freeze the dataset
            </Button>
          )}
        </Group>
        {snapshots.isPending && <Loading rows={3} />}
        {snapshots.isError && <Failed problem={snapshots.error} retry={() => void snapshots.refetch()} />}
        {snapshots.data?.items.length === 0 && (
          <Empty title="Nothing is frozen yet">
            A snapshot holds the logs that the dataset finds now, with their bodies. They stay as they are, have a hash, and can be given
            expected answers.
          </Empty>
        )}
        {snapshots.data && snapshots.data.items.length > 0 && (
          <Table.ScrollContainer minWidth={640} type="native">
            <Table className="rows" aria-label="Snapshots">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>State</Table.Th>
                  <Table.Th className="end">Items</Table.Th>
                  <Table.Th className="end">With an expected answer</Table.Th>
                  <Table.Th>Frozen</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {snapshots.data.items.map((snapshot) => (
                  <SnapshotRow
                    key={snapshot.id}
                    gateway={gateway}
                    dataset={dataset}
                    snapshot={snapshot}
                    isOpen={snapshot.id === opened}
                    onOpen={() => setOpened(snapshot.id === opened ? null : snapshot.id)}
                    onDelete={mayWrite ? () => setLeaving(snapshot) : undefined}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
        {total > 20 && <Pagination m="sm" size="sm" total={Math.ceil(total / 20)} value={page} onChange={setPage} />}
      </Card>
      {shown && <SnapshotItems key={shown.id} gateway={gateway} snapshot={shown} />}
      {freezing && <Freeze gateway={gateway} dataset={dataset} onClose={() => setFreezing(false)} />}
      {leaving !== null && <DeleteSnapshot gateway={gateway} snapshot={leaving} onClose={() => setLeaving(null)} />}
    </>
  );
}

interface RowProps {
  gateway: string;
  dataset: Dataset;
  snapshot: Snapshot;
  isOpen: boolean;
  onOpen: () => void;
  onDelete?: () => void;
}

function SnapshotRow({ gateway, dataset, snapshot, isOpen, onOpen, onDelete }: RowProps) {
  const ready = snapshot.status === 'ready';
  return (
    <Table.Tr>
      <Table.Td>
        <Text size="sm" fw={600} className="cell" title={snapshot.name}>
          {snapshot.name}
        </Text>
      </Table.Td>
      <Table.Td>
        <Badge color={COLOURS[snapshot.status]} title={snapshot.status_description}>
          {snapshot.status}
        </Badge>
        {snapshot.status === 'failed' && (
          <Text size="xs" c="dimmed" style={{ whiteSpace: 'normal' }}>
            {snapshot.status_description}
          </Text>
        )}
      </Table.Td>
      <Table.Td className="end figures">
        {ready ? count(snapshot.items) : '…'}
        {snapshot.erased > 0 && (
          <Text size="xs" c="dimmed">
            {count(snapshot.erased)} erased
          </Text>
        )}
      </Table.Td>
      <Table.Td className="end figures">{count(snapshot.expected)}</Table.Td>
      <Table.Td title={fullMoment(snapshot.created_at)}>{ago(snapshot.created_at)}</Table.Td>
      <Table.Td className="end">
        <Group gap={4} justify="flex-end" wrap="nowrap">
          {snapshot.hash && <CopyIcon text={snapshot.hash} label={`Copy the hash of ${snapshot.name}`} />}
          {ready && <Download gateway={gateway} dataset={dataset} snapshot={snapshot} />}
          {ready && (
            <Button size="compact-xs" variant="default" aria-expanded={isOpen} aria-label={`Items of ${snapshot.name}`} onClick={onOpen}>
              Items
            </Button>
          )}
          {onDelete && (
            <Tooltip label="Delete">
              <ActionIcon aria-label={`Delete ${snapshot.name}`} onClick={onDelete}>
                <IconTrash size={16} />
              </ActionIcon>
            </Tooltip>
          )}
        </Group>
      </Table.Td>
    </Table.Tr>
  );
}

const FORMATS = [
  { format: 'plain', label: 'Everything', says: 'logs, bodies, expected answers' },
  { format: 'evals', label: 'For evaluations', says: 'messages and the ideal answer' },
  { format: 'chat', label: 'For training', says: 'conversations with their answers' },
] as const;

function Download({ gateway, dataset, snapshot }: { gateway: string; dataset: Dataset; snapshot: Snapshot }) {
  const take = useExport(gateway, dataset.id, snapshot.id);
  const save = ({ file }: Exported, format: string) => {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(file);
    link.download = `${dataset.name}-${snapshot.name}-${format}.jsonl`.replace(/[^\w.-]+/g, '_');
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  };
  return (
    <>
      {take.isError && (
        <Text size="xs" c="red" role="alert">
          {take.error.message}
        </Text>
      )}
      {take.data && take.data.leftOut > 0 && (
        <Text size="xs" role="status">
          {count(take.data.leftOut)} left out: not in this format
        </Text>
      )}
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            size="compact-xs"
            variant="default"
            leftSection={<IconDownload size={14} />}
            loading={take.isPending}
            aria-label={`Export ${snapshot.name}`}
          >
            Export
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Label>As JSON Lines</Menu.Label>
          {FORMATS.map(({ format, label, says }) => (
            <Menu.Item key={format} onClick={() => take.mutate(format, { onSuccess: (file) => save(file, format) })}>
              <Text size="sm">{label}</Text>
              <Text size="xs" c="dimmed">
                {says}
              </Text>
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
    </>
  );
}

function Freeze({ gateway, dataset, onClose }: { gateway: string; dataset: Dataset; onClose: () => void }) {
  const [name, setName] = useState('');
  const [deduplicate, setDeduplicate] = useState(false);
  const [size, setSize] = useState<number | string>('');
  const freeze = useFreeze(gateway, dataset.id);
  const refused = freeze.error instanceof ApiError ? freeze.error.about('name') : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    freeze.mutate(
      { name, deduplicate, ...(size !== '' && { sample: { seed: 0, size: Number(size) } }) } as Parameters<typeof freeze.mutate>[0],
      { onSuccess: onClose },
    );
  };
  return (
    <Modal opened onClose={onClose} title="Freeze the dataset">
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm" c="dimmed">
            It gets the logs up to now, as they are now. What happens to them later does not change it.
          </Text>
          <TextInput
            label="Name"
            required
            maxLength={256}
            value={name}
            error={refused}
            onChange={(event) => setName(event.currentTarget.value)}
            data-autofocus
          />
          <Checkbox
            label="Of equal requests only the oldest"
            checked={deduplicate}
            onChange={(event) => setDeduplicate(event.currentTarget.checked)}
          />
          <NumberInput
            label="A sample of so many"
            description="Drawn by chance, always the same ones; empty: all"
            min={1}
            allowDecimal={false}
            value={size}
            onChange={setSize}
          />
          {freeze.isError && !refused && <Failed problem={freeze.error} />}
          <Group>
            <Button type="submit" loading={freeze.isPending}>
              Freeze it
            </Button>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

function DeleteSnapshot({ gateway, snapshot, onClose }: { gateway: string; snapshot: Snapshot; onClose: () => void }) {
  const remove = useDeleteSnapshot(gateway, snapshot.dataset_id);
  return (
    <Modal opened onClose={onClose} title={`Delete the snapshot ${snapshot.name}?`}>
      <Stack>
        <Text size="sm">It goes with its items and their expected answers. Logs stay, and evaluations keep their figures.</Text>
        {remove.isError && <Failed problem={remove.error} />}
        <Group>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(snapshot.id, { onSuccess: onClose })}>
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
