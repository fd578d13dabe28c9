import { Card, Group, SegmentedControl, Table, Text, TextInput, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { useBreakdown, useEvaluationTypes } from '../api/evaluations';
import type { Evaluation } from '../api/types';
import { count } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { inUnit } from './figures';

/** The same questions for each model, provider or value of a metadata key. */
export function ByGroup({ gateway, evaluation }: { gateway: string; evaluation: Evaluation }) {
  const [kind, setKind] = useState('model');
  const [key, setKey] = useState('');
  const [settled] = useDebouncedValue(key, 300);
  const by = kind === 'metadata' ? `metadata.${settled}` : kind;
  const breakdown = useBreakdown(gateway, evaluation.id, by);
  const types = useEvaluationTypes();
  const nameOf = (id: string) => types.data?.find((one) => one.id === id)?.name ?? id;
  const { data } = breakdown;
  return (
    <Card padding={0}>
      <Group p="sm" pb={4} justify="space-between">
        <Title order={2}>By group</Title>
        <Group gap="xs">
          {kind === 'metadata' && (
            <TextInput
              aria-label="Metadata key"
              placeholder="metadata key"
              value={key}
              onChange={(event) => setKey(event.currentTarget.value)}
            />
          )}
          <SegmentedControl
            aria-label="Group by"
            data={[
              { value: 'model', label: 'Model' },
              { value: 'provider', label: 'Provider' },
              { value: 'metadata', label: 'Metadata' },
            ]}
            value={kind}
            onChange={setKind}
          />
        </Group>
      </Group>
      {by === 'metadata.' && <Empty title="Which metadata key?" />}
      {by !== 'metadata.' && breakdown.isPending && <Loading rows={3} />}
      {breakdown.isError && <Failed problem={breakdown.error} retry={() => void breakdown.refetch()} />}
      {data?.groups.length === 0 && <Empty title="No log has such a value" />}
      {data && data.groups.length > 0 && (
        <Table.ScrollContainer minWidth={560} type="native">
          <Table className="rows" aria-label="By group">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Group</Table.Th>
                <Table.Th className="end">Logs</Table.Th>
                {data.groups[0]?.results.map((one) => (
                  <Table.Th key={one.evaluation_type_id} className="end">
                    {nameOf(one.evaluation_type_id)}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {data.groups.map((group, index) => (
                <Table.Tr key={index}>
                  <Table.Td>
                    <span className="cell" title={group.group ?? undefined}>
                      {group.group || 'none'}
                    </span>
                  </Table.Td>
                  <Table.Td className="end figures">{count(group.total_logs)}</Table.Td>
                  {group.results.map((one) => (
                    <Table.Td key={one.evaluation_type_id} className="end">
                      <Text size="sm" className="figures" title={one.result || undefined}>
                        {inUnit(one.result, one.unit)}
                      </Text>
                      <Text size="xs" c="dimmed" className="figures">
                        {one.low !== null && one.high !== null ? `${inUnit(one.low, one.unit)} to ${inUnit(one.high, one.unit)}, ` : ''}n ={' '}
                        {count(one.total_logs)}
                      </Text>
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
      {data && (data.note || data.other_groups > 0) && (
        <Text size="xs" c="dimmed" p="sm">
          {[data.note, data.other_groups > 0 ? `${count(data.other_groups)} more groups with ${count(data.other_logs)} logs` : null]
            .filter(Boolean)
            .join('; ')}
        </Text>
      )}
    </Card>
  );
}
