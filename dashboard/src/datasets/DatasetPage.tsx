import { Anchor, Badge, Button, Card, Group, Pill, Stack, Table, Text, Title } from '@mantine/core';
import { IconPencil, IconRepeat, IconRulerMeasure } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { useDataset } from '../api/datasets';
import { type Choice, useLogs } from '../api/logs';
import type { Dataset } from '../api/types';
import { COLUMNS } from '../logs/columns';
import { worded } from '../logs/filter-keys';
import { CopyIcon } from '../parts/Copy';
import { ago, fullMoment } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { Counted, DatasetModal } from './DatasetModal';
import { Snapshots } from './Snapshots';

const SHOWN = 10;

/** One dataset: its filters, and the logs that they find now. */
export default function DatasetPage({ gateway, id }: { gateway: string; id: string }) {
  const dataset = useDataset(gateway, id);
  if (dataset.isPending) return <Loading rows={8} />;
  if (dataset.isError) return <Failed problem={dataset.error} retry={() => void dataset.refetch()} />;
  return <Opened gateway={gateway} dataset={dataset.data} />;
}

function Opened({ gateway, dataset }: { gateway: string; dataset: Dataset }) {
  const [changing, setChanging] = useState(false);
  const mayWrite = useMay('Write');
  const base = `/gateways/${encodeURIComponent(gateway)}`;
  return (
    <Page
      title={dataset.name}
      actions={
        mayWrite && (
          <>
            {dataset.enable && (
              <Button component={Link} href={`${base}/evaluations?new=${dataset.id}`} leftSection={<IconRulerMeasure size={14} />}>
                Evaluate
              </Button>
            )}
            {dataset.enable && (
              <Button
                component={Link}
                href={`${base}/replays/new?dataset=${dataset.id}`}
                variant="default"
                leftSection={<IconRepeat size={14} />}
              >
                Replay
              </Button>
            )}
            <Button variant="default" leftSection={<IconPencil size={14} />} onClick={() => setChanging(true)}>
              Change
            </Button>
          </>
        )
      }
    >
      <Stack>
        <Group gap="xs">
          {dataset.filters.length === 0 ? (
            <Text size="sm">All logs of the gateway</Text>
          ) : (
            dataset.filters.map((filter, index) => (
              <Pill key={index} maw="100%" title={worded(filter)}>
                {worded(filter)}
              </Pill>
            ))
          )}
          {!dataset.enable && <Badge color="gray">not for new evaluations</Badge>}
          <Text size="sm" c="dimmed" title={fullMoment(dataset.modified_at)}>
            changed {ago(dataset.modified_at)}
          </Text>
          <CopyIcon text={dataset.id} label="Copy the id" />
        </Group>
        <Snapshots gateway={gateway} dataset={dataset} />
        <FirstLogs gateway={gateway} dataset={dataset} />
      </Stack>
      {changing && <DatasetModal gateway={gateway} filters={dataset.filters} dataset={dataset} onClose={() => setChanging(false)} />}
    </Page>
  );
}

/** The newest of the logs behind it. */
function FirstLogs({ gateway, dataset }: { gateway: string; dataset: Dataset }) {
  const choice: Choice = { filters: dataset.filters, search: '', order: 'created_at', direction: 'desc', page: 1, perPage: SHOWN };
  const logs = useLogs(gateway, choice, { live: false, exact: false });
  const base = `/gateways/${encodeURIComponent(gateway)}/logs`;
  const columns = COLUMNS.filter((column) => column.usual);
  const all = `${base}?filters=${encodeURIComponent(JSON.stringify(dataset.filters))}`;
  return (
    <Card padding={0}>
      <Group justify="space-between" p="sm" pb={4}>
        <Group gap="sm" align="baseline">
          <Title order={2}>Its logs now</Title>
          <Counted gateway={gateway} filters={dataset.filters} />
        </Group>
        <Button component={Link} href={all} variant="default" size="compact-xs">
          All of them, on the Logs page
        </Button>
      </Group>
      {logs.isPending && <Loading />}
      {logs.isError && <Failed problem={logs.error} retry={() => void logs.refetch()} />}
      {logs.data?.items.length === 0 && (
        <Empty title="No log matches now">The dataset is empty until requests come that match every one of its filters.</Empty>
      )}
      {logs.data && logs.data.items.length > 0 && (
        <Table.ScrollContainer minWidth={columns.length * 88} type="native">
          <Table className="rows" aria-label="Its logs">
            <Table.Thead>
              <Table.Tr>
                {columns.map((column) => (
                  <Table.Th key={column.id} className={column.end ? 'end' : undefined}>
                    {column.label}
                  </Table.Th>
                ))}
                <Table.Th>
                  <span className="visually-hidden">Actions</span>
                </Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {logs.data.items.map((log) => (
                <Table.Tr key={log.id}>
                  {columns.map((column) => (
                    <Table.Td key={column.id} className={column.end ? 'end' : undefined}>
                      {column.show(log)}
                    </Table.Td>
                  ))}
                  <Table.Td className="end">
                    <Anchor
                      component={Link}
                      size="sm"
                      href={`${base}?log=${log.id}`}
                      aria-label={`Open the log of ${fullMoment(log.created_at)}`}
                    >
                      Open
                    </Anchor>
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </Card>
  );
}
