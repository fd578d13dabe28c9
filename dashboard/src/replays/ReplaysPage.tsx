import { Badge, Button, Group, Progress, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { type Replay, useDeleteReplay, useReplays } from '../api/replays';
import { Confirm } from '../parts/Confirm';
import { count, dollars } from '../parts/format';
import { Ago, type Column, Delete, List, Named } from '../parts/List';
import { Empty } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { doneOf, StateBadge } from './ReplayParts';

/** All replays of a gateway's logs. */
export default function ReplaysPage({ gateway }: { gateway: string }) {
  const [page, setPage] = useState(1);
  const [leaving, setLeaving] = useState<Replay | null>(null);
  const replays = useReplays(gateway, page);
  const mayWrite = useMay('Write');
  const base = `/gateways/${encodeURIComponent(gateway)}/replays`;
  const columns: Column<Replay>[] = [
    { label: 'Name', show: ({ id, name }) => <Named name={name} href={`${base}/${id}`} /> },
    { label: 'State', show: (replay) => <StateBadge replay={replay} /> },
    { label: 'Candidates', show: (replay) => <Candidates replay={replay} /> },
    { label: 'Calls ended', show: (replay) => <Ended replay={replay} /> },
    { label: 'Spent', end: true, show: ({ spent }) => <span title={spent}>{dollars(spent)}</span> },
    { label: 'Cap', end: true, show: ({ max_cost }) => dollars(max_cost) },
    { label: 'Made', show: ({ created_at }) => <Ago at={created_at} /> },
  ];
  return (
    <Page
      title="Replays"
      actions={
        mayWrite && (
          <Button component={Link} href={`${base}/new`} leftSection={<IconPlus size={14} />}>
            New replay
          </Button>
        )
      }
    >
      <List
        label="Replays"
        query={replays}
        columns={columns}
        actions={mayWrite ? (replay) => <Delete of={replay.name} onClick={() => setLeaving(replay)} /> : undefined}
        onPage={setPage}
        minWidth={760}
        empty={
          <Empty title="There is no replay yet">
            A replay sends logged requests again, to other models, with another prompt or other parameters, and says what that does to cost,
            speed, errors and quality. What it will cost is said before anything is spent.
          </Empty>
        }
      />
      {leaving !== null && (
        <DeleteReplay gateway={gateway} replay={leaving} onClose={() => setLeaving(null)} onDeleted={() => setLeaving(null)} />
      )}
    </Page>
  );
}

function Candidates({ replay }: { replay: Replay }) {
  return (
    <Group gap={4} wrap="nowrap">
      {replay.candidates.slice(0, 3).map((one) => (
        <Badge key={one.label} color="gray" maw={180} title={one.label}>
          {one.label}
        </Badge>
      ))}
      {replay.candidates.length > 3 && <Text size="xs">and {replay.candidates.length - 3} more</Text>}
    </Group>
  );
}

function Ended({ replay }: { replay: Replay }) {
  const { done, all } = doneOf(replay);
  return (
    <Group gap="xs" wrap="nowrap">
      <Progress
        value={all === 0 ? 0 : (100 * done) / all}
        w={70}
        size="sm"
        aria-label={`${replay.name}: ${count(done)} of ${count(all)} calls ended`}
      />
      <Text size="sm" className="figures">
        {count(done)} of {count(all)}
      </Text>
    </Group>
  );
}

interface DeleteProps {
  gateway: string;
  replay: Replay;
  onClose: () => void;
  onDeleted: () => void;
}

export function DeleteReplay({ gateway, replay, onClose, onDeleted }: DeleteProps) {
  const remove = useDeleteReplay(gateway);
  return (
    <Confirm title="Delete the replay?" change={remove} id={replay.id} onClose={onClose} onDone={onDeleted}>
      “{replay.name}” goes with its results{replay.processed ? '' : ', and stops'}. The logs of its calls stay, and what it spent is spent.
    </Confirm>
  );
}
