import { Group, NumberInput, Radio, Stack, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { useEvaluation, useEvaluations } from '../api/evaluations';
import type { EvaluationType } from '../api/types';
import { Searched } from '../parts/Searched';
import { Margins } from '../trials/Margins';
import type { PartProps } from './draft';
import { alphaOf, looksAWeek, pValue } from './schedule';

/** What a window is compared with, and when that is an alert. */
export function Alarm({ draft, set, about, gateway, types }: PartProps & { gateway: string; types: EvaluationType[] }) {
  const weekly = Number(draft.weekly) / 100;
  const minutes = Number(draft.minutes);
  return (
    <>
      <Radio.Group
        label="Each window is compared with"
        value={draft.against}
        onChange={(against) => set({ against: against as 'windows' })}
      >
        <Stack gap={6} mt={4}>
          <Radio
            size="xs"
            value="windows"
            label="the windows before it, together"
            description="They move along: a slow decline is not seen."
          />
          <Radio
            size="xs"
            value="baseline"
            label="an evaluation of your choice"
            description="It stays the same, for as long as it is kept."
          />
        </Stack>
      </Radio.Group>
      <Group grow align="flex-start" preventGrowOverflow={false}>
        {draft.against === 'windows' ? (
          <NumberInput
            miw={180}
            label="So many of them"
            description="Those that have a figure; 1 to 50."
            min={1}
            max={50}
            allowDecimal={false}
            value={draft.reference}
            onChange={(reference) => set({ reference })}
            error={about('reference_windows')}
          />
        ) : (
          <Baseline
            gateway={gateway}
            value={draft.baseline}
            onChange={(baseline) => set({ baseline })}
            error={about('baseline_evaluation_id')}
          />
        )}
        <NumberInput
          miw={180}
          label="Logs at least"
          description="With a figure, on both sides; with fewer nothing is compared."
          min={2}
          allowDecimal={false}
          value={draft.fewest}
          onChange={(fewest) => set({ fewest })}
          error={about('min_logs')}
        />
        <NumberInput
          miw={180}
          label="False alarms, in per cent"
          description="The chance of any in a week where nothing is worse."
          min={0.0001}
          max={50}
          decimalScale={4}
          value={draft.weekly}
          onChange={(typed) => set({ weekly: typed })}
          error={about('weekly_alpha')}
        />
      </Group>
      <TextInput
        label="Requests that are alike"
        description="metadata.user, say, where one user sends many requests: then users are compared, not requests. Also model or provider. Empty: each request stands for itself."
        value={draft.cluster}
        onChange={(event) => set({ cluster: event.currentTarget.value })}
        error={about('cluster_by')}
      />
      {minutes >= 1 && weekly > 0 && (
        <Text size="xs" c="dimmed">
          Whoever looks often is wrong more often, so each of the {Math.round(looksAWeek(minutes))} looks of a week (5 that may be asked for
          included) has its part: there is an alert where p is at most {pValue(alphaOf(weekly, minutes))}.
        </Text>
      )}
      <Margins
        label="How much worse is no alert"
        of="the reference"
        drafts={draft.margins}
        figures={types.filter((one) => draft.types.includes(one.id)).map((one) => ({ value: one.id, label: one.name }))}
        onChange={(margins) => set({ margins })}
        error={about('margins')}
      />
    </>
  );
}

/** An evaluation that has ended. */
function Baseline({
  gateway,
  value,
  onChange,
  error,
}: {
  gateway: string;
  value: string | null;
  onChange: (id: string | null) => void;
  error?: string;
}) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text, 300);
  const found = useEvaluations(gateway, 1, search);
  const chosen = useEvaluation(gateway, value ?? '', value !== null);
  const options = (found.data?.items ?? []).filter((one) => one.processed).map((one) => ({ value: one.id, label: one.name }));
  return (
    <Searched
      label="Evaluation"
      description="One that has ended, and asked the same."
      required
      options={options}
      chosen={value === null ? null : { value, label: chosen.data?.name ?? value }}
      onSearch={setText}
      onChange={onChange}
      error={error ?? (found.error ?? chosen.error)?.message}
    />
  );
}
