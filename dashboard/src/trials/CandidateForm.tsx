import { Autocomplete, Button, Card, Group, JsonInput, NumberInput, Select, Stack, Text, Textarea, TextInput, Title } from '@mantine/core';
import { IconTrash } from '@tabler/icons-react';
import { type CandidateDraft, changesSomething, parametersOf, type Prompt } from './candidate';

const PROMPTS: { value: Prompt; label: string }[] = [
  { value: 'kept', label: 'stays as it was' },
  { value: 'system', label: 'is another one' },
  { value: 'append_system', label: 'gets words behind it' },
];

interface Props {
  number: number;
  draft: CandidateDraft;
  models: string[];
  /** What the server says of a field of it. */
  about: (field: string) => string | undefined;
  onChange: (draft: CandidateDraft) => void;
  onRemove?: () => void;
}

/** What might have been used instead. */
export function CandidateForm({ number, draft, models, about, onChange, onRemove }: Props) {
  const set = (change: Partial<CandidateDraft>) => onChange({ ...draft, ...change });
  const noJson = parametersOf(draft.parameters) === null ? 'Expected a JSON object' : undefined;
  return (
    <Card component="section" aria-label={`Candidate ${number}`}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Title order={3}>Candidate {number}</Title>
          {onRemove && (
            <Button
              variant="default"
              size="compact-xs"
              leftSection={<IconTrash size={14} />}
              onClick={onRemove}
              aria-label={`Remove candidate ${number}`}
            >
              Remove
            </Button>
          )}
        </Group>
        <Group grow align="flex-start" preventGrowOverflow={false}>
          <Autocomplete
            size="xs"
            miw={200}
            label="Model"
            description="Empty: the one that was logged."
            placeholder="openai/gpt-5-mini"
            maxLength={256}
            data={models}
            value={draft.model}
            onChange={(model) => set({ model })}
            error={about('model')}
          />
          <TextInput
            miw={200}
            label="Label"
            description="What it is called in the results; else its model."
            maxLength={256}
            value={draft.label}
            onChange={(event) => set({ label: event.currentTarget.value })}
            error={about('label')}
          />
        </Group>
        <Select label="The system prompt" data={PROMPTS} value={draft.prompt} onChange={(prompt) => set({ prompt: prompt as Prompt })} />
        {draft.prompt !== 'kept' && (
          <Textarea
            label={draft.prompt === 'system' ? 'The other system prompt' : 'What stands behind the system prompt'}
            autosize
            minRows={2}
            maxRows={10}
            maxLength={200_000}
            value={draft.words}
            onChange={(event) => set({ words: event.currentTarget.value })}
            error={about('system') ?? about('append_system')}
          />
        )}
        <JsonInput
          label="Parameters"
          description="As JSON; null takes one out. A limit for the answer lowers what it can cost at most."
          placeholder='{"temperature": 0, "max_tokens": 300}'
          size="xs"
          autosize
          maxRows={8}
          value={draft.parameters}
          onChange={(parameters) => set({ parameters })}
          validationError="Expected a JSON object"
          error={noJson ?? about('parameters')}
        />
        <Group grow align="flex-start" preventGrowOverflow={false}>
          <NumberInput
            miw={200}
            label="Price of a million tokens in, in dollars"
            description="Only where no price is known for the model."
            min={0}
            value={draft.priceIn}
            onChange={(priceIn) => set({ priceIn })}
            error={about('cost_per_token_in')}
          />
          <NumberInput
            miw={200}
            label="… and of a million tokens out"
            description="Both or none."
            min={0}
            value={draft.priceOut}
            onChange={(priceOut) => set({ priceOut })}
            error={about('cost_per_token_out')}
          />
        </Group>
        {!changesSomething(draft) && (
          <Text size="xs" c="dimmed">
            Nothing is changed yet: as it stands, the same model is asked the same again, which shows how much answers differ by chance.
          </Text>
        )}
      </Stack>
    </Card>
  );
}
