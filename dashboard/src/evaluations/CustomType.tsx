import { Button, Card, Code, Group, JsonInput, List, Select, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useCreateType } from '../api/evaluations';
import type { EvaluationType } from '../api/types';
import { Failed } from '../parts/States';

/** An evaluator with parameters of one's own, such as a pattern that answers must match. */
export function CustomType({ all, onCreated }: { all: EvaluationType[]; onCreated: (id: string) => void }) {
  const [opened, setOpened] = useState(false);
  const [evaluator, setEvaluator] = useState<string | null>(null);
  const [name, setName] = useState('');
  const [text, setText] = useState('{}');
  const create = useCreateType();
  const possible = all.filter((type) => type.parameters_schema !== null && type.parameters === null);
  if (possible.length === 0) return null;
  if (!opened)
    return (
      <Group>
        <Button variant="default" size="compact-xs" onClick={() => setOpened(true)}>
          A question with parameters …
        </Button>
      </Group>
    );
  const chosen = possible.find((type) => type.id === evaluator);
  const properties = Object.entries(chosen?.parameters_schema?.properties ?? {});
  const required = chosen?.parameters_schema?.required ?? [];
  const choose = (id: string | null) => {
    setEvaluator(id);
    const needed = possible.find((type) => type.id === id)?.parameters_schema?.required ?? [];
    setText(JSON.stringify(Object.fromEntries(needed.map((one) => [one, ''])), null, 2));
  };
  const parameters = objectOf(text);
  const make = () => {
    if (chosen === undefined || parameters === null) return;
    create.mutate(
      { name, evaluator_id: chosen.id, parameters },
      {
        onSuccess: (made) => {
          setOpened(false);
          setName('');
          onCreated(made.id);
        },
      },
    );
  };
  return (
    <Card padding="sm">
      <Stack gap="xs">
        <Select
          label="Evaluator"
          placeholder="choose one"
          data={possible.map((type) => ({ value: type.id, label: type.name }))}
          value={evaluator}
          onChange={choose}
          searchable
        />
        {chosen && (
          <Text size="xs" c="dimmed">
            {chosen.description}
          </Text>
        )}
        <TextInput label="Name of the question" maxLength={256} value={name} onChange={(event) => setName(event.currentTarget.value)} />
        <JsonInput
          label="Parameters"
          size="xs"
          autosize
          minRows={2}
          value={text}
          onChange={setText}
          error={parameters === null ? 'Expected a JSON object' : undefined}
        />
        {properties.length > 0 && (
          <List size="xs" spacing={2}>
            {properties.map(([key, { description, type, enum: values }]) => (
              <List.Item key={key}>
                <Code>{key}</Code>
                {required.includes(key) ? ' (needed)' : ''}:{' '}
                {[description, values ? `one of ${values.join(', ')}` : type].filter(Boolean).join('; ')}
              </List.Item>
            ))}
          </List>
        )}
        {create.isError && <Failed problem={create.error} />}
        <Group>
          <Button
            variant="default"
            onClick={make}
            loading={create.isPending}
            disabled={chosen === undefined || name === '' || parameters === null}
          >
            Add it
          </Button>
          <Button variant="subtle" color="gray" onClick={() => setOpened(false)}>
            Not now
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}

function objectOf(text: string): Record<string, unknown> | null {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null && !Array.isArray(found) ? (found as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
