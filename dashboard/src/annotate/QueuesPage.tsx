import { Button, Group, Progress, Text } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { type Queue, useDeleteQueue, useQueues } from '../api/annotations';
import { Confirm } from '../parts/Confirm';
import { count } from '../parts/format';
import { Ago, type Column, Delete, List, Named } from '../parts/List';
import { Empty } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { NewQueue } from './NewQueue';

/** All annotation queues of a gateway, and how far they are. */
export default function QueuesPage({ gateway }: { gateway: string }) {
  const [page, setPage] = useState(1);
  const [making, setMaking] = useState(false);
  const [leaving, setLeaving] = useState<Queue | null>(null);
  const queues = useQueues(gateway, page);
  const remove = useDeleteQueue(gateway);
  const mayWrite = useMay('Write');
  const columns: Column<Queue>[] = [
    { label: 'Name', show: ({ id, name }) => <Named name={name} href={`/gateways/${encodeURIComponent(gateway)}/annotate/${id}`} /> },
    { label: 'Labels', show: ({ labels }) => <span className="cell">{labels.join(', ')}</span> },
    { label: 'Complete', show: (queue) => <Complete queue={queue} /> },
    { label: 'Made', show: ({ created_at }) => <Ago at={created_at} /> },
  ];
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
      <List
        label="Annotation queues"
        query={queues}
        columns={columns}
        actions={mayWrite ? (queue) => <Delete of={queue.name} onClick={() => setLeaving(queue)} /> : undefined}
        onPage={setPage}
        empty={
          <Empty title="There is no queue yet">
            A queue draws logs from datasets at random; people label them one by one. That shows how far people agree, and how far a judging
            model can be believed.
          </Empty>
        }
      />
      {making && <NewQueue gateway={gateway} onClose={() => setMaking(false)} />}
      {leaving !== null && (
        <Confirm title="Delete the queue?" change={remove} id={leaving.id} onClose={() => setLeaving(null)}>
          “{leaving.name}” goes with everything that was said in it; the logs stay.
        </Confirm>
      )}
    </Page>
  );
}

function Complete({ queue }: { queue: Queue }) {
  const { items, complete, gone } = queue.progress;
  const done = items === 0 ? 100 : (100 * (complete + gone)) / items;
  return (
    <Group gap="xs" wrap="nowrap">
      <Progress value={done} w={90} size="sm" aria-label={`${queue.name}: ${count(complete)} of ${count(items)} items complete`} />
      <Text size="sm" className="figures">
        {count(complete)} of {count(items)}
      </Text>
    </Group>
  );
}
