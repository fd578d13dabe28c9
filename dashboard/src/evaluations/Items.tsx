import { Anchor, Badge, Card, Pagination, Table, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'wouter';
import { useEvaluationTypes, useItems } from '../api/evaluations';
import type { Evaluation, Item } from '../api/types';
import { UNKNOWN } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { Agreement, Votes } from './Panel';

const COLOURS = { scored: 'gauge', failed: 'red', skipped: 'gray' };

/** The logs behind a number, worst first: each with its score and why. */
export function Items({ gateway, evaluation, type }: { gateway: string; evaluation: Evaluation; type: string }) {
  const [page, setPage] = useState(1);
  const items = useItems(gateway, evaluation.id, type, page);
  const types = useEvaluationTypes();
  const name = types.data?.find((one) => one.id === type)?.name ?? type;
  const agreement = evaluation.results.find((one) => one.evaluation_type_id === type)?.agreement;
  const total = items.data?.info.total_count ?? 0;
  return (
    <Card padding={0}>
      <Title order={2} p="sm" pb={4}>
        {name}: its logs, worst first
      </Title>
      {agreement && <Agreement agreement={agreement} />}
      {items.isPending && <Loading />}
      {items.isError && <Failed problem={items.error} retry={() => void items.refetch()} />}
      {items.data?.items.length === 0 && <Empty title="No log has been looked at yet" />}
      {items.data && items.data.items.length > 0 && (
        <Table.ScrollContainer minWidth={560} type="native">
          <Table className="rows" aria-label={`${name}: logs`}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Log</Table.Th>
                <Table.Th>State</Table.Th>
                <Table.Th className="end">Score</Table.Th>
                <Table.Th>Why</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {items.data.items.map((item) => (
                <ItemRow key={item.log_id} gateway={gateway} item={item} />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {total > 20 && <Pagination m="sm" size="sm" total={Math.ceil(total / 20)} value={page} onChange={setPage} />}
    </Card>
  );
}

function ItemRow({ gateway, item }: { gateway: string; item: Item }) {
  return (
    <Table.Tr>
      <Table.Td>
        {item.log_deleted ? (
          <Text size="sm" c="dimmed">
            deleted since
          </Text>
        ) : (
          <Anchor component={Link} size="sm" className="cell" href={`/gateways/${encodeURIComponent(gateway)}/logs?log=${item.log_id}`}>
            {item.log_id}
          </Anchor>
        )}
      </Table.Td>
      <Table.Td>
        <Badge color={COLOURS[item.status]}>{item.status}</Badge>
      </Table.Td>
      <Table.Td className="end figures">{item.score ?? UNKNOWN}</Table.Td>
      <Table.Td style={{ whiteSpace: 'normal' }}>
        <span className="logged prose">{item.note || UNKNOWN}</span>
        {item.votes && <Votes votes={item.votes} />}
      </Table.Td>
    </Table.Tr>
  );
}
