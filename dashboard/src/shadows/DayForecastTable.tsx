import { Stack, Text } from '@mantine/core';
import type { DayForecast } from '../api/shadows';
import { count, dollars } from '../parts/format';
import { Empty } from '../parts/States';
import { CandidateCosts } from '../trials/CandidateCosts';

const WITHIN: Record<DayForecast['within_cap'], string> = {
  probably: 'will probably not be reached',
  perhaps: 'may be reached: the interval goes beyond it, or there is none',
  no: 'will probably be reached every day, and what is drawn after that is missed',
  unknown: 'may or may not be reached: not all costs are known',
};

/** What a day would cost by each candidate, and what that supposes. */
export function DayForecastTable({ forecast }: { forecast: DayForecast }) {
  if (forecast.logs === 0) return <Empty title="Nothing to tell from">The gateway has no such requests in its last days.</Empty>;
  return (
    <Stack gap="xs">
      <CandidateCosts candidates={forecast.candidates} total={forecast.logs} fit="Could be sent" />
      <Text size="xs" c="dimmed">
        {forecast.days === 1 ? 'A day like the last one' : `A day like the last ${count(forecast.days)}`}: some{' '}
        {count(Math.round(forecast.daily_items))} requests drawn. It supposes {forecast.assumes}. From {count(forecast.sampled)} of{' '}
        {count(forecast.logs)} requests that were looked at
        {forecast.without_tokens > 0 &&
          `; the tokens of ${count(forecast.without_tokens)} are not known, they count as the others’ average`}
        .{forecast.note !== null && ` Open: ${forecast.note}.`}
      </Text>
      <Text size="sm">
        The cap of <b className="figures">{dollars(forecast.daily_cap)}</b> a day {WITHIN[forecast.within_cap]}.
        {forecast.judges_worst_case_cost !== null &&
          ` Judges cost up to ${dollars(forecast.judges_worst_case_cost)} more, within caps of their own.`}
      </Text>
    </Stack>
  );
}
