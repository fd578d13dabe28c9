import { Table, Text } from '@mantine/core';
import type { CandidateForecast } from '../api/trials';
import { Interval } from '../evaluations/Interval';
import { count, dollars } from '../parts/format';
import { Reasons } from './Sides';

interface Props {
  candidates: CandidateForecast[];
  /** Requests that were looked at, or that these stand for. */
  total: number;
  /** What is said of those that a candidate can be sent. */
  fit: string;
}

/** What each candidate would cost, with its interval. */
export function CandidateCosts({ candidates, total, fit }: Props) {
  const drawn = candidates.map((one) => ({
    result: one.expected_cost ?? '',
    low: one.low,
    high: one.high,
    unit: 'USD',
    interval_level: 0.95,
    interval_note: one.unknown,
  }));
  const most = Math.max(0, ...drawn.flatMap((one) => [one.result, one.high ?? '']).map(Number));
  const axis: [number, number] = [0, most === 0 ? 1 : most * 1.08];
  return (
    <Table.ScrollContainer minWidth={720} type="native">
      <Table className="rows" aria-label="Forecast" verticalSpacing="xs">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Candidate</Table.Th>
            <Table.Th className="end">Expected</Table.Th>
            <Table.Th>How sure</Table.Th>
            <Table.Th className="end">Answers twice as long</Table.Th>
            <Table.Th className="end">At most</Table.Th>
            <Table.Th>{fit}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {candidates.map((one, index) => (
            <Table.Tr key={one.label}>
              <Table.Td>
                <Text size="sm" fw={600} className="cell" title={one.label}>
                  {one.label}
                </Text>
              </Table.Td>
              <Table.Td className="end">
                <Text fw={600} className="figures" title={one.expected_cost ?? undefined}>
                  {one.expected_cost === null ? 'unknown' : dollars(one.expected_cost)}
                </Text>
              </Table.Td>
              <Table.Td>
                {drawn[index] && one.expected_cost !== null ? (
                  <Interval result={drawn[index]} axis={axis} />
                ) : (
                  <Text size="xs" style={{ whiteSpace: 'normal' }}>
                    {one.unknown ?? 'not known'}
                  </Text>
                )}
              </Table.Td>
              <Table.Td className="end figures">{dollars(one.twice_as_long_cost)}</Table.Td>
              <Table.Td className="end figures">{dollars(one.worst_case_cost)}</Table.Td>
              <Table.Td>
                <Text size="sm" className="figures">
                  {count(one.replayable)} of {count(total)}
                </Text>
                {Object.keys(one.skipped).length > 0 && <Reasons reasons={one.skipped} />}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
