import { Badge, Group, Stack, Text } from '@mantine/core';
import type { Forecast, Replay } from '../api/replays';
import { count, dollars } from '../parts/format';
import { CandidateCosts } from '../trials/CandidateCosts';
import { STATES } from '../trials/reasons';
import { ended } from '../trials/Sides';

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
  return (
    <Stack gap="xs">
      <CandidateCosts candidates={forecast.candidates} total={forecast.total_items} fit="Can be replayed" />
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
