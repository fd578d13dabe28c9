import { ActionIcon, Anchor, Badge, Button, Card, Group, Pagination, Table, Text, Tooltip } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { type Shadow, useShadows } from '../api/shadows';
import { ago, count, dollars, fullMoment } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { DeleteShadow, ShadowBadge } from './ShadowParts';

const PER_PAGE = 20;

/** All shadows of a gateway's traffic. */
export default function ShadowsPage({ gateway }: { gateway: string }) {
  const [page, setPage] = useState(1);
  const [leaving, setLeaving] = useState<Shadow | null>(null);
  const shadows = useShadows(gateway, page);
  const mayWrite = useMay('Write');
  const total = shadows.data?.info.total_count ?? 0;
  const base = `/gateways/${encodeURIComponent(gateway)}/shadows`;
  return (
    <Page
      title="Shadows"
      actions={
        mayWrite && (
          <Button component={Link} href={`${base}/new`} leftSection={<IconPlus size={14} />}>
            New shadow
          </Button>
        )
      }
    >
      <Card padding={0}>
        {shadows.isPending && <Loading />}
        {shadows.isError && <Failed problem={shadows.error} retry={() => void shadows.refetch()} />}
        {shadows.data?.items.length === 0 && (
          <Empty title="There is no shadow yet">
            A shadow sends a share of live requests to other models as well, once they were answered, and puts their cost, speed, errors and
            quality beside what users got. Nobody’s answer waits for it or changes, and what it may spend in a day has a cap.
          </Empty>
        )}
        {shadows.data && shadows.data.items.length > 0 && (
          <Table.ScrollContainer minWidth={820} type="native">
            <Table className="rows" aria-label="Shadows">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>State</Table.Th>
                  <Table.Th>Candidates</Table.Th>
                  <Table.Th className="end">Share</Table.Th>
                  <Table.Th className="end">Requests called</Table.Th>
                  <Table.Th className="end">Spent today</Table.Th>

                  <Table.Th>Made</Table.Th>
                  <Table.Th>
                    <span className="visually-hidden">Actions</span>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {shadows.data.items.map((shadow) => (
                  <Row
                    key={shadow.id}
                    href={`${base}/${shadow.id}`}
                    shadow={shadow}
                    onDelete={mayWrite ? () => setLeaving(shadow) : undefined}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {total > PER_PAGE && <Pagination mt="sm" size="sm" total={Math.ceil(total / PER_PAGE)} value={page} onChange={setPage} />}
      {leaving !== null && (
        <DeleteShadow gateway={gateway} shadow={leaving} onClose={() => setLeaving(null)} onDeleted={() => setLeaving(null)} />
      )}
    </Page>
  );
}

/** Room for a label, which a table’s column would squeeze. */
function widthOf(label: string): number {
  return Math.min(180, 20 + 7 * label.length);
}

function Row({ href, shadow, onDelete }: { href: string; shadow: Shadow; onDelete?: () => void }) {
  return (
    <Table.Tr>
      <Table.Td>
        <Anchor component={Link} href={href} size="sm" fw={600} className="cell" title={shadow.name}>
          {shadow.name}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <ShadowBadge shadow={shadow} />
      </Table.Td>
      <Table.Td>
        <Group gap={4} wrap="nowrap">
          {shadow.candidates.slice(0, 3).map((one) => (
            <Badge key={one.label} color="gray" maw={180} miw={widthOf(one.label)} title={one.label}>
              {one.label}
            </Badge>
          ))}
          {shadow.candidates.length > 3 && <Text size="xs">and {shadow.candidates.length - 3} more</Text>}
        </Group>
      </Table.Td>
      <Table.Td className="end figures">{shadow.share} %</Table.Td>
      <Table.Td className="end figures">
        {count(shadow.called)} of {count(shadow.max_items)}
      </Table.Td>
      <Table.Td className="end figures" title={shadow.today.spent}>
        {dollars(shadow.today.spent)} of {dollars(shadow.daily_cap)}
      </Table.Td>
      <Table.Td title={fullMoment(shadow.created_at)}>{ago(shadow.created_at)}</Table.Td>
      <Table.Td className="end">
        {onDelete && (
          <Tooltip label="Delete">
            <ActionIcon onClick={onDelete} aria-label={`Delete ${shadow.name}`}>
              <IconTrash size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </Table.Td>
    </Table.Tr>
  );
}
