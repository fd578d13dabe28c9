import { Anchor, Badge, Text, Title } from '@mantine/core';
import { useState } from 'react';
import { Link } from 'wouter';
import { useEvaluationTypes, useItems } from '../api/evaluations';
import type { Evaluation, Item } from '../api/types';
import { UNKNOWN } from '../parts/format';
import { type Column, List } from '../parts/List';
import { Empty } from '../parts/States';
import { COLOURS } from './figures';
import { Agreement, Votes } from './Panel';

/** The logs behind a number, worst first: each with its score and why. */
export function Items({ gateway, evaluation, type }: { gateway: string; evaluation: Evaluation; type: string }) {
  const [page, setPage] = useState(1);
  const items = useItems(gateway, evaluation.id, type, page);
  const types = useEvaluationTypes();
  const name = types.data?.find((one) => one.id === type)?.name ?? type;
  const agreement = evaluation.results.find((one) => one.evaluation_type_id === type)?.agreement;
  const columns: Column<Item>[] = [
    { label: 'Log', show: (item) => <LogOf gateway={gateway} item={item} /> },
    { label: 'State', show: ({ status }) => <Badge color={COLOURS[status]}>{status}</Badge> },
    { label: 'Score', end: true, show: ({ score }) => score ?? UNKNOWN },
    { label: 'Why', wraps: true, show: (item) => <Why item={item} /> },
  ];
  return (
    <List
      label={`${name}: logs`}
      query={items}
      columns={columns}
      idOf={({ log_id }) => log_id}
      onPage={setPage}
      minWidth={560}
      empty={<Empty title="No log has been looked at yet" />}
    >
      <Title order={2} p="sm" pb={4}>
        {name}: its logs, worst first
      </Title>
      {agreement && <Agreement agreement={agreement} />}
    </List>
  );
}

function LogOf({ gateway, item }: { gateway: string; item: Item }) {
  return item.log_deleted ? (
    <Text size="sm" c="dimmed">
      deleted since
    </Text>
  ) : (
    <Anchor component={Link} size="sm" className="cell" href={`/gateways/${encodeURIComponent(gateway)}/logs?log=${item.log_id}`}>
      {item.log_id}
    </Anchor>
  );
}

function Why({ item }: { item: Item }) {
  return (
    <>
      <span className="logged prose">{item.note || UNKNOWN}</span>
      {item.votes && <Votes votes={item.votes} />}
    </>
  );
}
