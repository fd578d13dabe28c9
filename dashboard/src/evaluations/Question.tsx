import { Badge, Card, Group, Stack, Table, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Difference, Metric } from '../api/types';
import { count } from '../parts/format';
import { axisOf, inUnit } from './figures';
import { Interval } from './Interval';
import { Basis } from './ResultParts';

const VERDICT_COLOURS: Record<string, string> = { better: 'gauge', worse: 'red' };

/** What the comparison says, in words first, and what the words rest on. */
function Verdict({ difference }: { difference: Difference }) {
  const { paired } = difference;
  const facts = [
    difference.adjusted_p_value !== null
      ? `p = ${difference.adjusted_p_value.toPrecision(2)}${difference.test ? ` (${difference.test})` : ''}`
      : null,
    paired ? `${count(paired.items)} pairs by ${paired.by}` : null,
    difference.note,
  ].filter(Boolean);
  return (
    <Group gap="xs" align="baseline" wrap="nowrap">
      <Badge flex="none" color={VERDICT_COLOURS[difference.verdict] ?? 'gray'}>
        {difference.verdict.replaceAll('_', ' ')}
      </Badge>
      <div style={{ minWidth: 0, overflowWrap: 'anywhere' }}>
        <Text size="sm">
          {difference.side}: {difference.words}
        </Text>
        <Text size="xs" c="dimmed" className="figures" style={{ whiteSpace: 'normal' }}>
          {facts.join('; ')}
        </Text>
      </div>
    </Group>
  );
}

/** One of the things that are compared. */
export interface ComparedSide {
  key: string;
  name: ReactNode;
  metric: Metric | undefined;
  /** What stands in the place of a figure that is not there. */
  without: ReactNode;
  /** Logs that it could have been computed from. */
  total: number;
}

interface Props {
  title: string;
  description?: string;
  sideTitle: string;
  sides: ComparedSide[];
  differences: Difference[];
}

/** One question's answers on one axis, with the verdicts in words. */
export function Question({ title, description, sideTitle, sides, differences }: Props) {
  const axis = axisOf(sides.map(({ metric }) => metric).filter((one) => one !== undefined));
  return (
    <Card padding={0} component="section" aria-label={title}>
      <Group p="sm" pb={0} gap="xs" align="baseline">
        <Title order={2}>{title}</Title>
        <Text size="xs" c="dimmed">
          {description}
        </Text>
      </Group>
      {differences.length > 0 && (
        <Stack gap={6} px="sm" pt="xs">
          {differences.map((one) => (
            <Verdict key={one.side} difference={one} />
          ))}
        </Stack>
      )}
      <Table.ScrollContainer minWidth={720} type="native">
        <Table aria-label={title} verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th w="30%">{sideTitle}</Table.Th>
              <Table.Th w="16%">Answer</Table.Th>
              <Table.Th w="32%">How sure</Table.Th>
              <Table.Th>Computed from</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {sides.map(({ key, name, metric, without, total }) => (
              <Table.Tr key={key}>
                <Table.Td>{name}</Table.Td>
                <Table.Td>
                  {metric === undefined || metric.result === '' ? (
                    without
                  ) : (
                    <Text fw={600} className="figures" title={metric.result}>
                      {inUnit(metric.result, metric.unit)}
                    </Text>
                  )}
                </Table.Td>
                <Table.Td>{metric && <Interval result={metric} axis={axis} />}</Table.Td>
                <Table.Td>{metric && <Basis result={metric} total={total} />}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}
