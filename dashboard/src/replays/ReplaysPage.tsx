import { ActionIcon, Anchor, Badge, Button, Card, Group, Modal, Pagination, Progress, Stack, Table, Text, Tooltip } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { type Replay, useDeleteReplay, useReplays } from '../api/replays';
import { ago, count, dollars, fullMoment } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { doneOf, StateBadge } from './ReplayParts';

const PER_PAGE = 20;

/** All replays of a gateway's logs. */
export default function ReplaysPage({ gateway }: { gateway: string }) {
  const [page, setPage] = useState(1);
  const [leaving, setLeaving] = useState<Replay | null>(null);
  const replays = useReplays(gateway, page);
  const mayWrite = useMay('Write');
  const total = replays.data?.info.total_count ?? 0;
  const base = `/gateways/${encodeURIComponent(gateway)}/replays`;
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
      <Card padding={0}>
        {replays.isPending && <Loading />}
        {replays.isError && <Failed problem={replays.error} retry={() => void replays.refetch()} />}
        {replays.data?.items.length === 0 && (
          <Empty title="There is no replay yet">
            A replay sends logged requests again, to other models, with another prompt or other parameters, and says what that does to cost,
            speed, errors and quality. What it will cost is said before anything is spent.
          </Empty>
        )}
        {replays.data && replays.data.items.length > 0 && (
          <Table.ScrollContainer minWidth={760} type="native">
            <Table className="rows" aria-label="Replays">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>State</Table.Th>
                  <Table.Th>Candidates</Table.Th>
                  <Table.Th>Calls ended</Table.Th>
                  <Table.Th className="end">Spent</Table.Th>
                  <Table.Th className="end">Cap</Table.Th>
                  <Table.Th>Made</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {replays.data.items.map((replay) => (
                  <Row
                    key={replay.id}
                    href={`${base}/${replay.id}`}
                    replay={replay}
                    onDelete={mayWrite ? () => setLeaving(replay) : undefined}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {total > PER_PAGE && <Pagination mt="sm" size="sm" total={Math.ceil(total / PER_PAGE)} value={page} onChange={setPage} />}
      {leaving !== null && (
        <DeleteReplay gateway={gateway} replay={leaving} onClose={() => setLeaving(null)} onDeleted={() => setLeaving(null)} />
      )}
    </Page>
  );
}

function Row({ href, replay, onDelete }: { href: string; replay: Replay; onDelete?: () => void }) {
  const { done, all } = doneOf(replay);
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} href={href} size="sm" fw={600} className="cell" title={replay.name}>
          {replay.name}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <StateBadge replay={replay} />
      </Table.Td>
      <Table.Td>
        <Group gap={4} wrap="nowrap">
          {replay.candidates.slice(0, 3).map((one) => (
            <Badge key={one.label} color="gray" maw={180} title={one.label}>
              {one.label}
            </Badge>
          ))}
          {replay.candidates.length > 3 && <Text size="xs">and {replay.candidates.length - 3} more</Text>}
        </Group>
      </Table.Td>
      <Table.Td>
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
      </Table.Td>
      <Table.Td className="end figures" title={replay.spent}>
        {dollars(replay.spent)}
      </Table.Td>
      <Table.Td className="end figures">{dollars(replay.max_cost)}</Table.Td>
      <Table.Td title={fullMoment(replay.created_at)}>{ago(replay.created_at)}</Table.Td>
      <Table.Td className="end">
        {onDelete && (
          <Tooltip label="Delete">
            <ActionIcon onClick={onDelete} aria-label={`Delete ${replay.name}`}>
              <IconTrash size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </Table.Td>
    </Table.Tr>
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
    <Modal opened onClose={onClose} title="Delete the replay?">
      <Stack>
        <Text size="sm">
          “{replay.name}” goes with its results{replay.processed ? '' : ', and stops'}. The logs of its calls stay, and what it spent is
          spent.
        </Text>
        {remove.isError && <Failed problem={remove.error} />}
        <Group>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(replay.id, { onSuccess: onDeleted })}>
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
