import { Anchor, Badge, Button, Card, Group, Select, Table, Text } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useState } from 'react';
import { useDatasets } from '../api/datasets';
import { type Tried, useTryType } from '../api/evaluations';
import { moment, UNKNOWN } from '../parts/format';
import { COLOURS } from './figures';

const ALL = '';

interface Props {
  gateway: string;
  evaluator: string;
  parameters: Record<string, unknown>;
  disabled: boolean;
  onRefused: (problem: Error | null) => void;
}

/** Asks the newest logs, and shows what would be found in each. Nothing of it is kept. */
export function TryIt({ gateway, evaluator, parameters, disabled, onRefused }: Props) {
  const datasets = useDatasets(gateway);
  const [dataset, setDataset] = useState(ALL);
  const attempt = useTryType(gateway);
  const known = datasets.data?.items ?? [];
  const filters = known.find((one) => one.id === dataset)?.filters ?? [];
  const run = () => {
    onRefused(null);
    attempt.mutate({ evaluator_id: evaluator, parameters, filters }, { onError: onRefused });
  };
  const stale = attempt.variables !== undefined && JSON.stringify(attempt.variables.parameters) !== JSON.stringify(parameters);
  return (
    <Card padding="sm" component="section" aria-label="Try it">
      <Group gap="xs" align="flex-end">
        <Select
          label="Try it on the newest logs of"
          w={220}
          data={[{ value: ALL, label: 'the gateway' }, ...known.map((one) => ({ value: one.id, label: one.name }))]}
          value={dataset}
          onChange={(next) => setDataset(next ?? ALL)}
          searchable
        />
        <Button variant="default" leftSection={<IconPlayerPlay size={14} />} onClick={run} loading={attempt.isPending} disabled={disabled}>
          Try it
        </Button>
      </Group>
      <div role="status">
        {attempt.data && stale && (
          <Text size="xs" c="dimmed" mt="xs">
            It was changed since it was tried.
          </Text>
        )}
        {attempt.data && <Found tried={attempt.data} gateway={gateway} />}
      </div>
    </Card>
  );
}

function Found({ tried, gateway }: { tried: Tried[]; gateway: string }) {
  return (
    <Table.ScrollContainer minWidth={480} type="native" mt="xs">
      <Table className="rows" aria-label="What it says of each log">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Log</Table.Th>
            <Table.Th>State</Table.Th>
            <Table.Th className="end">Score</Table.Th>
            <Table.Th>Why</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {tried.map(({ log, status, score, note }) => (
            <Table.Tr key={log.id}>
              <Table.Td>
                <Anchor
                  size="sm"
                  underline="always"
                  href={`/gateways/${encodeURIComponent(gateway)}/logs?log=${log.id}`}
                  target="_blank"
                  title="In a new tab"
                >
                  {moment(log.created_at)}
                </Anchor>{' '}
                <Text span size="xs" c="dimmed">
                  {log.model}
                </Text>
              </Table.Td>
              <Table.Td>
                <Badge color={COLOURS[status]}>{status}</Badge>
              </Table.Td>
              <Table.Td className="end figures">{score ?? UNKNOWN}</Table.Td>
              <Table.Td style={{ whiteSpace: 'normal' }}>
                <span className="logged prose">{note || UNKNOWN}</span>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
