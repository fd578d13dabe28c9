import { Button, Card, Code, Group, JsonInput, List, Select, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useCreateType } from '../api/evaluations';
import type { EvaluationType } from '../api/types';
import { Failed } from '../parts/States';
import { PYTHON, PythonForm } from './PythonForm';

interface Props {
  gateway: string;
  all: EvaluationType[];
  onCreated: (id: string) => void;
}

/** Offers to ask something of one's own. */
export function CustomType(props: Props) {
  const [opened, setOpened] = useState(false);
  if (basesOf(props.all).length === 0) return null;
  if (!opened)
    return (
      <Group>
        <Button variant="default" size="compact-xs" onClick={() => setOpened(true)}>
          A question with parameters …
        </Button>
      </Group>
    );
  return (
    <Card padding="sm">
      <QuestionForm
        {...props}
        onCreated={(id) => {
          setOpened(false);
          props.onCreated(id);
        }}
        onCancel={() => setOpened(false)}
      />
    </Card>
  );
}

/** The evaluators that take parameters. */
export function basesOf(all: EvaluationType[]): EvaluationType[] {
  return all.filter((type) => type.parameters_schema !== null && type.parameters === null);
}

interface FormProps extends Props {
  /** Which evaluator is chosen at first. */
  first?: string;
  onCancel: () => void;
}

/** An evaluator with parameters of one's own: a pattern that answers must match, a rubric, a function in Python. */
export function QuestionForm({ gateway, all, first, onCreated, onCancel }: FormProps) {
  const bases = basesOf(all);
  const [evaluator, setEvaluator] = useState(first ?? null);
  const chosen = bases.find((type) => type.id === evaluator);
  return (
    <Stack gap="xs">
      <Select
        label="Evaluator"
        placeholder="choose one"
        maw={460}
        data={bases.map((type) => ({ value: type.id, label: type.name }))}
        value={evaluator}
        onChange={setEvaluator}
        searchable
      />
      {chosen && chosen.id !== PYTHON && (
        <Text size="xs" c="dimmed">
          {chosen.description}
        </Text>
      )}
      {chosen?.id === PYTHON ? (
        <PythonForm gateway={gateway} all={all} onSaved={onCreated} onCancel={onCancel} />
      ) : (
        <ParametersForm key={evaluator} base={chosen} onCreated={onCreated} onCancel={onCancel} />
      )}
    </Stack>
  );
}

interface ParametersProps {
  base?: EvaluationType;
  onCreated: (id: string) => void;
  onCancel: () => void;
}

function ParametersForm({ base, onCreated, onCancel }: ParametersProps) {
  const properties = Object.entries(base?.parameters_schema?.properties ?? {});
  const required = base?.parameters_schema?.required ?? [];
  const [name, setName] = useState('');
  const [text, setText] = useState(JSON.stringify(Object.fromEntries(required.map((one) => [one, ''])), null, 2));
  const create = useCreateType();
  const parameters = objectOf(text);
  const make = () => {
    if (base === undefined || parameters === null) return;
    create.mutate({ name, evaluator_id: base.id, parameters }, { onSuccess: (made) => onCreated(made.id) });
  };
  return (
    <Stack gap="xs">
      <TextInput
        label="Name of the question"
        maw={460}
        maxLength={256}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
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
          disabled={base === undefined || name === '' || parameters === null}
        >
          Add it
        </Button>
        <Button variant="subtle" color="gray" onClick={onCancel}>
          Not now
        </Button>
      </Group>
    </Stack>
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
