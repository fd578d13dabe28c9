import { ActionIcon, Button, Group, NumberInput, Select, Stack, Text } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import type { MarginDraft } from './candidate';

export interface Choice {
  value: string;
  label: string;
}

let keys = 0;

/** What is compared of every candidate, whatever it is judged by. */
export const ALWAYS: Choice[] = [
  { value: 'cost', label: 'Cost' },
  { value: 'speed', label: 'Latency' },
  { value: 'error_rate', label: 'Errors' },
];

interface Props {
  label: string;
  /** What a margin in per cent is a part of. */
  of: string;
  drafts: MarginDraft[];
  figures: Choice[];
  onChange: (drafts: MarginDraft[]) => void;
  error?: string;
}

/** How much worse each figure may be, and still pass. */
export function Margins({ label, of, drafts, figures, onChange, error }: Props) {
  const set = (key: number, change: Partial<MarginDraft>) => onChange(drafts.map((one) => (one.key === key ? { ...one, ...change } : one)));
  const add = () => {
    keys += 1;
    const free = figures.find(({ value }) => drafts.every((one) => one.figure !== value));
    onChange([...drafts, { key: keys, figure: free?.value ?? '', amount: '', unit: 'percent' }]);
  };
  return (
    <Stack gap={6}>
      <Text size="xs" fw={500}>
        {label}
      </Text>
      {drafts.map((draft, index) => (
        <Group key={draft.key} gap={6} align="flex-start">
          <Select
            aria-label={`Figure of margin ${index + 1}`}
            flex={1}
            miw={120}
            data={figures.filter(({ value }) => value === draft.figure || drafts.every((one) => one.figure !== value))}
            value={draft.figure}
            onChange={(figure) => set(draft.key, { figure: figure ?? '' })}
          />
          <NumberInput
            aria-label={`Amount of margin ${index + 1}`}
            w={90}
            min={0}
            value={draft.amount}
            onChange={(amount) => set(draft.key, { amount })}
            error={draft.amount === '' ? 'missing' : undefined}
          />
          <Select
            aria-label={`Unit of margin ${index + 1}`}
            w={150}
            data={[
              { value: 'percent', label: `% of ${of}` },
              { value: 'absolute', label: 'in the figure’s unit' },
            ]}
            value={draft.unit}
            onChange={(unit) => set(draft.key, { unit: unit as MarginDraft['unit'] })}
          />
          <ActionIcon
            mt={2}
            aria-label={`Remove margin ${index + 1}`}
            onClick={() => onChange(drafts.filter((one) => one.key !== draft.key))}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
      ))}
      {error && (
        <Text size="xs" c="red" role="alert">
          {error}
        </Text>
      )}
      {drafts.length < figures.length && (
        <Group>
          <Button size="compact-xs" variant="default" leftSection={<IconPlus size={12} />} onClick={add}>
            Margin
          </Button>
        </Group>
      )}
    </Stack>
  );
}
