import { Group, NumberInput, Select, Text } from '@mantine/core';
import { useState } from 'react';
import { fullMoment } from '../parts/format';
import type { PartProps } from './draft';
import { endOfWindow, INTERVALS } from './schedule';

const OTHER = 'other';
/** A week. */
const MOST_MINUTES = 10_080;

/** How often it looks, and how long a window settles. */
export function Schedule({ draft, set, about }: PartProps) {
  const [isOther, setOther] = useState(!INTERVALS.some((one) => one.minutes === Number(draft.minutes)));
  const minutes = Number(draft.minutes);
  return (
    <>
      <Group grow align="flex-start" preventGrowOverflow={false}>
        <Select
          miw={200}
          label="It looks"
          description="Each window of time is evaluated by itself."
          data={[
            ...INTERVALS.map((one) => ({ value: String(one.minutes), label: one.label })),
            { value: OTHER, label: 'after another number of minutes' },
          ]}
          value={isOther ? OTHER : String(draft.minutes)}
          onChange={(chosen) => {
            setOther(chosen === OTHER);
            if (chosen !== OTHER) set({ minutes: Number(chosen) });
          }}
          error={isOther ? undefined : about('interval_minutes')}
        />
        {isOther && (
          <NumberInput
            miw={160}
            label="Minutes"
            description="1 to 10,080 (a week)"
            required
            min={1}
            max={MOST_MINUTES}
            allowDecimal={false}
            value={draft.minutes}
            onChange={(typed) => set({ minutes: typed })}
            error={about('interval_minutes')}
          />
        )}
        <NumberInput
          miw={200}
          label="Seconds to let a window settle"
          description="Longer than your requests take. What ends, or gets feedback, later counts in no figure."
          min={0}
          max={86_400}
          allowDecimal={false}
          value={draft.settle}
          onChange={(settle) => set({ settle })}
          error={about('settle_seconds')}
        />
      </Group>
      {minutes >= 1 && minutes <= MOST_MINUTES && (
        <Text size="xs" c="dimmed">
          Windows end at full multiples of that in UTC, the first at {fullMoment(new Date(endOfWindow(minutes, Date.now())).toISOString())}{' '}
          (your time). Whoever looks more often sees a large drop sooner, and needs more logs to see a small one.
        </Text>
      )}
    </>
  );
}

/** Of how many logs, and what that may cost. */
export function Sample({ draft, set, about, judges }: PartProps & { judges: boolean }) {
  return (
    <>
      <Group grow align="flex-start" preventGrowOverflow={false}>
        <NumberInput
          miw={180}
          label="Share of the logs, in per cent"
          description="For what looks at each log, as judges do."
          min={0}
          max={100}
          decimalScale={4}
          value={draft.share}
          onChange={(share) => set({ share })}
          error={about('share')}
        />
        <NumberInput
          miw={180}
          label="Logs at most"
          description="Of a window, for the same. Empty: no limit."
          min={1}
          max={250_000}
          allowDecimal={false}
          value={draft.most}
          onChange={(most) => set({ most })}
          error={about('max_items')}
        />
        <NumberInput
          miw={180}
          label="Cap a day, in dollars"
          description="All its judges’ calls in a day of UTC never pass it."
          required={judges}
          min={0}
          decimalScale={12}
          value={draft.cap}
          onChange={(cap) => set({ cap })}
          error={about('daily_max_cost')}
        />
      </Group>
      <Text size="xs" c="dimmed">
        What is computed from columns (cost, latency, errors, feedback …) sees every log and costs nothing. Which logs are in a sample
        depends on nothing but their ids. Once the cap has no room, the rest of the window is not judged, and it says so.
      </Text>
    </>
  );
}
