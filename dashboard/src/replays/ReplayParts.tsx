import { Badge, Group, Stack, Table, Text } from '@mantine/core';
import type { Forecast, Replay } from '../api/replays';
import { Interval } from '../evaluations/Interval';
import { count, dollars } from '../parts/format';
import { STATES } from '../trials/reasons';
import { ended, Reasons } from '../trials/Sides';

export function StateBadge({ replay }: { replay: Replay }) {
  const { label, colour } = STATES[replay.status] ?? { label: `status ${replay.status}`, colour: 'gray' };
  return (
    <Badge color={colour} title={replay.status_description}>
      {label}
    </Badge>
  );
}

/** How many of the candidates' calls have ended, of all. The logged side is no call. */
export function doneOf(replay: Replay): { done: number; all: number } {
  const sides = replay.progress.slice(1);
  return { done: sides.reduce((sum, one) => sum + ended(one), 0), all: replay.total_items * sides.length };
}

const WITHIN: Record<Forecast['within_cap'], string> = {
  certainly: 'is never reached: all calls together cannot cost more',
  probably: 'will probably not be reached',
  no: 'will probably be reached before all requests are replayed',
  unknown: 'may or may not be reached: not all costs are known',
};

/** What each candidate would cost, with its interval, and what that supposes. */
export function ForecastTable({ forecast }: { forecast: Forecast }) {
  const drawn = forecast.candidates.map((one) => ({
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
    <Stack gap="xs">
      <Table.ScrollContainer minWidth={720} type="native">
        <Table className="rows" aria-label="Forecast" verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Candidate</Table.Th>
              <Table.Th className="end">Expected</Table.Th>
              <Table.Th>How sure</Table.Th>
              <Table.Th className="end">Answers twice as long</Table.Th>
              <Table.Th className="end">At most</Table.Th>
              <Table.Th>Can be replayed</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {forecast.candidates.map((one, index) => (
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
                    {count(one.replayable)} of {count(forecast.total_items)}
                  </Text>
                  {Object.keys(one.skipped).length > 0 && <Reasons reasons={one.skipped} />}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <Text size="xs" c="dimmed">
        It supposes {forecast.assumes}. From {count(forecast.sampled)} of {count(forecast.total_items)} requests that were looked at
        {forecast.without_tokens > 0 &&
          `; the tokens of ${count(forecast.without_tokens)} are not known, they count as the others’ average`}
        .
      </Text>
      <Group gap={4}>
        <Text size="sm">
          The cap of <b className="figures">{dollars(forecast.max_cost)}</b> {WITHIN[forecast.within_cap]}.
        </Text>
        {forecast.judges_worst_case_cost !== null && (
          <Text size="sm">Judges cost up to {dollars(forecast.judges_worst_case_cost)} more, within caps of their own.</Text>
        )}
      </Group>
    </Stack>
  );
}
