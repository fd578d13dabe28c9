import { Badge, Button, Card, Group, Modal, Stack, Table, Text, Textarea, Title } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { type Snapshot, type SnapshotItem, useExpect, useSnapshotItems } from '../api/snapshots';
import { count, UNKNOWN } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';

/** What is frozen in a snapshot, with the answers that are right. */
export function SnapshotItems({ gateway, snapshot }: { gateway: string; snapshot: Snapshot }) {
  const [ways, setWays] = useState<(string | null)[]>([null]);
  const [edited, setEdited] = useState<SnapshotItem | null>(null);
  const items = useSnapshotItems(gateway, snapshot.dataset_id, snapshot.id, ways.at(-1) ?? null);
  const mayWrite = useMay('Write');
  const next = items.data?.result_info.next ?? null;
  return (
    <Card padding={0}>
      <Title order={2} p="sm" pb={4}>
        Items of {snapshot.name}
      </Title>
      {items.isPending && <Loading />}
      {items.isError && <Failed problem={items.error} retry={() => void items.refetch()} />}
      {items.data?.result.length === 0 && <Empty title="No item here" />}
      {items.data && items.data.result.length > 0 && (
        <Table.ScrollContainer minWidth={620} type="native">
          <Table className="rows" aria-label={`Items of ${snapshot.name}`}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Log</Table.Th>
                <Table.Th>Model</Table.Th>
                <Table.Th>Expected answer</Table.Th>
                <Table.Th>
                  <span className="visually-hidden">Actions</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.data.result.map((item) => (
                <Table.Tr key={item.log_id}>
                  <Table.Td>
                    <span className="cell" title={item.log_id}>
                      {item.log_id}
                    </span>
                  </Table.Td>
                  <Table.Td>
                    {item.erased ? <Badge color="gray">erased</Badge> : <span className="cell">{item.log?.model || UNKNOWN}</span>}
                  </Table.Td>
                  <Table.Td style={{ whiteSpace: 'normal' }}>
                    {item.expected === null ? (
                      <Text size="sm" c="dimmed">
                        none
                      </Text>
                    ) : (
                      <span className="logged prose">
                        {item.expected.slice(0, 400)}
                        {item.expected.length > 400 && ' …'}
                      </span>
                    )}
                  </Table.Td>
                  <Table.Td className="end">
                    {mayWrite && !item.erased && (
                      <Button
                        size="compact-xs"
                        variant="default"
                        aria-label={`Expected answer of ${item.log_id}`}
                        onClick={() => setEdited(item)}
                      >
                        Expect …
                      </Button>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      <Group p="sm" gap="xs">
        <Text size="xs" c="dimmed" className="figures">
          {count(snapshot.items)} in all
        </Text>
        {ways.length > 1 && (
          <Button size="compact-xs" variant="default" onClick={() => setWays(ways.slice(0, -1))}>
            Previous
          </Button>
        )}
        {next !== null && (
          <Button size="compact-xs" variant="default" onClick={() => setWays([...ways, next])}>
            Next
          </Button>
        )}
      </Group>
      {edited !== null && <Expect gateway={gateway} snapshot={snapshot} item={edited} onClose={() => setEdited(null)} />}
    </Card>
  );
}

function Expect({ gateway, snapshot, item, onClose }: { gateway: string; snapshot: Snapshot; item: SnapshotItem; onClose: () => void }) {
  const [text, setText] = useState(item.expected ?? '');
  const expect = useExpect(gateway, snapshot.dataset_id, snapshot.id);
  const give = (expected: string | null) => expect.mutate({ log_id: item.log_id, expected }, { onSuccess: onClose });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    give(text);
  };
  return (
    <Modal opened onClose={onClose} title="Expected answer" size="lg">
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm" c="dimmed">
            What the answer to this item's request should have been. Evaluations that were made before keep the answer that they had.
          </Text>
          <Textarea
            label="Answer"
            autosize
            minRows={4}
            maxRows={20}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
            data-autofocus
          />
          {expect.isError && <Failed problem={expect.error} />}
          <Group>
            <Button type="submit" loading={expect.isPending}>
              Save it
            </Button>
            {item.expected !== null && (
              <Button variant="default" onClick={() => give(null)}>
                Expect nothing
              </Button>
            )}
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
