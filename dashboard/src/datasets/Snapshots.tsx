import { Badge, Button, Checkbox, Group, Menu, Modal, NumberInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconDownload, IconSnowflake } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/client';
import { type Exported, type Snapshot, useDeleteSnapshot, useExport, useFreeze, useSnapshots } from '../api/snapshots';
import type { Dataset } from '../api/types';
import { Confirm } from '../parts/Confirm';
import { CopyIcon } from '../parts/Copy';
import { count } from '../parts/format';
import { Ago, type Column, Delete, List, Named } from '../parts/List';
import { Empty, Failed } from '../parts/States';
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
  const remove = useDeleteSnapshot(gateway, dataset.id);
  const shown = snapshots.data?.items.find((one) => one.id === opened);
  const actions = (snapshot: Snapshot) => (
    <>
      {snapshot.hash && <CopyIcon text={snapshot.hash} label={`Copy the hash of ${snapshot.name}`} />}
      {snapshot.status === 'ready' && (
        <>
          <Download gateway={gateway} dataset={dataset} snapshot={snapshot} />
          <Button
            size="compact-xs"
            variant="default"
            aria-expanded={snapshot.id === opened}
            aria-label={`Items of ${snapshot.name}`}
            onClick={() => setOpened(snapshot.id === opened ? null : snapshot.id)}
          >
            Items
          </Button>
        </>
      )}
      {mayWrite && <Delete of={snapshot.name} onClick={() => setLeaving(snapshot)} />}
    </>
  );
  return (
    <>
      <List
        label="Snapshots"
        query={snapshots}
        columns={COLUMNS}
        actions={actions}
        onPage={setPage}
        rows={3}
        empty={
          <Empty title="Nothing is frozen yet">
            A snapshot holds the logs that the dataset finds now, with their bodies. They stay as they are, have a hash, and can be given
            expected answers.
          </Empty>
        }
      >
        <Group justify="space-between" p="sm" pb={4}>
          <Title order={2}>Snapshots</Title>
          {mayWrite && (
            <Button variant="default" leftSection={<IconSnowflake size={14} />} onClick={() => setFreezing(true)}>
              Freeze the dataset
            </Button>
          )}
        </Group>
      </List>
      {shown && <SnapshotItems key={shown.id} gateway={gateway} snapshot={shown} />}
      {freezing && <Freeze gateway={gateway} dataset={dataset} onClose={() => setFreezing(false)} />}
      {leaving !== null && (
        <Confirm title={`Delete the snapshot ${leaving.name}?`} change={remove} id={leaving.id} onClose={() => setLeaving(null)}>
          It goes with its items and their expected answers. Logs stay, and evaluations keep their figures.
        </Confirm>
      )}
    </>
  );
}

const COLUMNS: Column<Snapshot>[] = [
  { label: 'Name', show: ({ name }) => <Named name={name} /> },
  { label: 'State', show: (snapshot) => <State snapshot={snapshot} /> },
  { label: 'Items', end: true, show: (snapshot) => <Kept snapshot={snapshot} /> },
  { label: 'With an expected answer', end: true, show: ({ expected }) => count(expected) },
  { label: 'Frozen', show: ({ created_at }) => <Ago at={created_at} /> },
];

function State({ snapshot }: { snapshot: Snapshot }) {
  return (
    <>
      <Badge color={COLOURS[snapshot.status]} title={snapshot.status_description}>
        {snapshot.status}
      </Badge>
      {snapshot.status === 'failed' && (
        <Text size="xs" c="dimmed" style={{ whiteSpace: 'normal' }}>
          {snapshot.status_description}
        </Text>
      )}
    </>
  );
}

function Kept({ snapshot }: { snapshot: Snapshot }) {
  return (
    <>
      {snapshot.status === 'ready' ? count(snapshot.items) : '…'}
      {snapshot.erased > 0 && (
        <Text size="xs" c="dimmed">
          {count(snapshot.erased)} erased
        </Text>
      )}
    </>
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
