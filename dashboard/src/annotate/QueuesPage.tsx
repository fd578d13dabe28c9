import { ActionIcon, Anchor, Button, Card, Group, Modal, Pagination, Progress, Stack, Table, Text, Tooltip } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { type Queue, useDeleteQueue, useQueues } from '../api/annotations';
import { ago, count, fullMoment } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { NewQueue } from './NewQueue';

const PER_PAGE = 50;

/** All annotation queues of a gateway, and how far they are. */
export default function QueuesPage({ gateway }: { gateway: string }) {
  const [page, setPage] = useState(1);
  const [making, setMaking] = useState(false);
  const [leaving, setLeaving] = useState<Queue | null>(null);
  const queues = useQueues(gateway, page);
  const mayWrite = useMay('Write');
  const total = queues.data?.info.total_count ?? 0;
  return (
    <Page
      title="Annotate"
      actions={
        mayWrite && (
          <Button leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)}>
            New queue
          </Button>
        )
      }
    >
      <Card padding={0}>
        {queues.isPending && <Loading />}
        {queues.isError && <Failed problem={queues.error} retry={() => void queues.refetch()} />}
        {queues.data?.items.length === 0 && (
          <Empty title="There is no queue yet">
            A queue draws logs from datasets at random; people label them one by one. That shows how far people agree, and how far a judging
            model can be believed.
          </Empty>
        )}
        {queues.data && queues.data.items.length > 0 && (
          <Table.ScrollContainer minWidth={640} type="native">
            <Table className="rows" aria-label="Annotation queues">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>Labels</Table.Th>
                  <Table.Th>Complete</Table.Th>
                  <Table.Th>Made</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {queues.data.items.map((queue) => (
                  <Row key={queue.id} gateway={gateway} queue={queue} mayWrite={mayWrite} onDelete={() => setLeaving(queue)} />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {total > PER_PAGE && <Pagination mt="sm" size="sm" total={Math.ceil(total / PER_PAGE)} value={page} onChange={setPage} />}
      {making && <NewQueue gateway={gateway} onClose={() => setMaking(false)} />}
      {leaving !== null && <DeleteQueue gateway={gateway} queue={leaving} onClose={() => setLeaving(null)} />}
    </Page>
  );
}

interface RowProps {
  gateway: string;
  queue: Queue;
  mayWrite: boolean;
  onDelete: () => void;
}

function Row({ gateway, queue, mayWrite, onDelete }: RowProps) {
  const { items, complete, gone } = queue.progress;
  const base = `/gateways/${encodeURIComponent(gateway)}/annotate/${queue.id}`;
  const done = items === 0 ? 100 : (100 * (complete + gone)) / items;
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} href={base} size="sm" fw={600} className="cell" title={queue.name}>
          {queue.name}
        </Anchor>
      </Table.Td>
      <Table.Td className="cell">{queue.labels.join(', ')}</Table.Td>
      <Table.Td>
        <Group gap="xs" wrap="nowrap">
          <Progress value={done} w={90} size="sm" aria-label={`${queue.name}: ${count(complete)} of ${count(items)} items complete`} />
          <Text size="sm" className="figures">
            {count(complete)} of {count(items)}
          </Text>
        </Group>
      </Table.Td>
      <Table.Td title={fullMoment(queue.created_at)}>{ago(queue.created_at)}</Table.Td>
      <Table.Td className="end">
        {mayWrite && (
          <Tooltip label="Delete">
            <ActionIcon onClick={onDelete} aria-label={`Delete ${queue.name}`}>
              <IconTrash size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </Table.Td>
    </Table.Tr>
  );
}

function DeleteQueue({ gateway, queue, onClose }: { gateway: string; queue: Queue; onClose: () => void }) {
  const remove = useDeleteQueue(gateway);
  return (
    <Modal opened onClose={onClose} title="Delete the queue?">
      <Stack>
        <Text size="sm">“{queue.name}” goes with everything that was said in it; the logs stay.</Text>
        {remove.isError && <Failed problem={remove.error} />}
        <Group>
          <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(queue.id, { onSuccess: onClose })}>
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
