import { ActionIcon, Anchor, Button, Card, Pagination, Table, Tooltip } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { type Monitor, useMonitors } from '../api/monitors';
import { ago, dollars, fullMoment, UNKNOWN } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { DeleteMonitor, MonitorBadges, useTypes } from './MonitorParts';
import { everyInWords } from './schedule';

const PER_PAGE = 20;

/** All monitors of a gateway's traffic. */
export default function MonitorsPage({ gateway }: { gateway: string }) {
  const [page, setPage] = useState(1);
  const [leaving, setLeaving] = useState<Monitor | null>(null);
  const monitors = useMonitors(gateway, page);
  const mayWrite = useMay('Write');
  const total = monitors.data?.info.total_count ?? 0;
  const base = `/gateways/${encodeURIComponent(gateway)}/monitors`;
  return (
    <Page
      title="Monitors"
      actions={
        mayWrite && (
          <Button component={Link} href={`${base}/new`} leftSection={<IconPlus size={14} />}>
            New monitor
          </Button>
        )
      }
    >
      <Card padding={0}>
        {monitors.isPending && <Loading />}
        {monitors.isError && <Failed problem={monitors.error} retry={() => void monitors.refetch()} />}
        {monitors.data?.items.length === 0 && (
          <Empty title="There is no monitor yet">
            A monitor evaluates the live traffic every hour, day or whenever you say, compares each window of time with those before it, and
            tells a webhook when something is worse by more than chance. What its judges may spend in a day has a cap.
          </Empty>
        )}
        {monitors.data && monitors.data.items.length > 0 && (
          <Table.ScrollContainer minWidth={820} type="native">
            <Table className="rows" aria-label="Monitors">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>State</Table.Th>
                  <Table.Th>Finds out</Table.Th>
                  <Table.Th>Looks</Table.Th>
                  <Table.Th>Next</Table.Th>
                  <Table.Th className="end">Spent today</Table.Th>

                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {monitors.data.items.map((monitor) => (
                  <Row
                    key={monitor.id}
                    href={`${base}/${monitor.id}`}
                    monitor={monitor}
                    onDelete={mayWrite ? () => setLeaving(monitor) : undefined}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {total > PER_PAGE && <Pagination mt="sm" size="sm" total={Math.ceil(total / PER_PAGE)} value={page} onChange={setPage} />}
      {leaving !== null && (
        <DeleteMonitor gateway={gateway} monitor={leaving} onClose={() => setLeaving(null)} onDeleted={() => setLeaving(null)} />
      )}
    </Page>
  );
}

function Row({ href, monitor, onDelete }: { href: string; monitor: Monitor; onDelete?: () => void }) {
  const { nameOf } = useTypes();
  const asks = monitor.evaluation_type_ids.map(nameOf).join(', ');
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} href={href} size="sm" fw={600} className="cell" title={monitor.name}>
          {monitor.name}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <MonitorBadges monitor={monitor} />
      </Table.Td>
      <Table.Td>
        <span className="cell" style={{ maxWidth: '11rem' }} title={asks}>
          {asks}
        </span>
      </Table.Td>
      <Table.Td>{everyInWords(monitor.interval_minutes)}</Table.Td>
      <Table.Td title={monitor.next_at === null ? undefined : fullMoment(monitor.next_at)}>
        {monitor.open_window_id !== null ? 'a window is under way' : monitor.next_at === null ? UNKNOWN : ago(monitor.next_at)}
      </Table.Td>
      <Table.Td className="end figures" title={monitor.spent_today ?? 'it has no daily cap'}>
        {monitor.daily_max_cost === null ? UNKNOWN : `${dollars(monitor.spent_today)} of ${dollars(monitor.daily_max_cost)}`}
      </Table.Td>
      <Table.Td className="end">
        {onDelete && (
          <Tooltip label="Delete">
            <ActionIcon onClick={onDelete} aria-label={`Delete ${monitor.name}`}>
              <IconTrash size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
