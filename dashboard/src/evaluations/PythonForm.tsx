import { Alert, Button, Checkbox, Code, Group, SegmentedControl, Select, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ApiError } from '../api/client';
import { useCreateType, useDeleteType } from '../api/evaluations';
import type { EvaluationType } from '../api/types';
import { Failed } from '../parts/States';
import { SourceArea } from './SourceArea';
import { BEGINNING, nextName, SAMPLE } from './source';
import { TryIt } from './TryIt';

export const PYTHON = 'python';

const DIRECTIONS = [
  { value: 'higher', label: 'higher is better' },
  { value: 'lower', label: 'lower is better' },
  { value: 'neither', label: 'neither is better' },
];
const FIGURES = [
  { value: 'share', label: 'How many pass' },
  { value: 'mean', label: 'An average' },
];

interface Props {
  gateway: string;
  all: EvaluationType[];
  /** The question that a changed one is made from. */
  from?: EvaluationType;
  readOnly?: boolean;
  onSaved: (id: string) => void;
  onCancel: () => void;
}

/** A question in Python: written, tried on logs, and saved under a name. */
export function PythonForm({ gateway, all, from, readOnly = false, onSaved, onCancel }: Props) {
  const given = from?.parameters ?? {};
  const [name, setName] = useState(
    from && !readOnly
      ? nextName(
          from.name,
          all.map((one) => one.name),
        )
      : (from?.name ?? ''),
  );
  const [source, setSource] = useState(String(given.source ?? BEGINNING));
  const [figure, setFigure] = useState(String(given.figure ?? 'share'));
  const [unit, setUnit] = useState(String(given.unit ?? ''));
  const [direction, setDirection] = useState(String(given.direction ?? 'higher'));
  const [needsAnswer, setNeedsAnswer] = useState(given.needs_answer !== false);
  const [replaces, setReplaces] = useState(false);
  const [refused, setRefused] = useState<Error | null>(null);
  const create = useCreateType();
  const remove = useDeleteType();
  const refusal = all.find((one) => one.id === PYTHON)?.refusal ?? null;
  const parameters = { ...given, source, figure, direction, ...unitOf(figure, unit, given), ...needsOf(needsAnswer, given) };
  const about = (...field: string[]) => (refused instanceof ApiError ? refused.about(...field) : undefined);
  const isPlaced = about('name') !== undefined || about('parameters', 'source') !== undefined;
  const save = () => {
    setRefused(null);
    const body = {
      name,
      evaluator_id: PYTHON,
      parameters,
      description: from?.description === baseDescription(all) ? '' : from?.description,
    };
    create.mutate(body, {
      onError: setRefused,
      onSuccess: (made) => {
        if (from && replaces) remove.mutate(from.id, { onSuccess: () => onSaved(made.id) });
        else onSaved(made.id);
      },
    });
  };
  return (
    <Stack gap="sm">
      {refusal !== null && (
        <Alert color="yellow" variant="light" title="This server runs no Python of yours">
          <Text size="sm">{refusal}. Until then it can be neither tried nor saved, and evaluations with such questions are refused.</Text>
        </Alert>
      )}
      <Group align="flex-start" gap="md">
        <Stack gap="xs" flex="1 1 460px" miw={0}>
          <SourceArea
            label="Python"
            description="It defines score(sample), which returns True or False, a number, or None to leave a log out."
            value={source}
            onChange={(text) => {
              setSource(text);
              setRefused(null);
            }}
            error={about('parameters', 'source')}
            readOnly={readOnly}
          />
          <Sample />
        </Stack>
        <Stack gap="xs" flex="1 1 240px" miw={0}>
          <TextInput
            label="Name of the question"
            maxLength={256}
            value={name}
            error={about('name')}
            readOnly={readOnly}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Stack gap={2}>
            <Text size="xs" fw={500} id="python-figure">
              What comes of it
            </Text>
            <SegmentedControl aria-labelledby="python-figure" data={FIGURES} value={figure} onChange={setFigure} disabled={readOnly} />
            <Text size="xs" c="dimmed">
              {figure === 'share' ? 'It returns True or False: the share of True, in percent.' : 'It returns numbers: their mean.'}
            </Text>
          </Stack>
          {figure === 'mean' && (
            <TextInput
              label="In"
              placeholder="words"
              maxLength={40}
              value={unit}
              readOnly={readOnly}
              onChange={(event) => setUnit(event.currentTarget.value)}
            />
          )}
          <Select
            label="Which is better"
            data={DIRECTIONS}
            value={direction}
            disabled={readOnly}
            onChange={(next) => next && setDirection(next)}
          />
          <Checkbox
            label="Only logs with an answer"
            description="Else sample['answer'] may be None."
            checked={needsAnswer}
            disabled={readOnly}
            onChange={(event) => setNeedsAnswer(event.currentTarget.checked)}
          />
          <Kept parameters={given} />
        </Stack>
      </Group>
      {!readOnly && (
        <>
          <TryIt
            gateway={gateway}
            evaluator={PYTHON}
            parameters={parameters}
            disabled={refusal !== null || source === ''}
            onRefused={setRefused}
          />
          {refused && !isPlaced && <Failed problem={refused} />}
          {remove.isError && <Failed problem={remove.error} />}
          {from && (
            <Text size="xs" c="dimmed">
              A question never changes, so that its figures stay comparable: saving makes another one. Evaluations keep the one that they
              were made with.
            </Text>
          )}
          {from && (
            <Checkbox
              label={`Then delete “${from.name}”`}
              checked={replaces}
              onChange={(event) => setReplaces(event.currentTarget.checked)}
            />
          )}
          <Group>
            <Button
              onClick={save}
              loading={create.isPending || remove.isPending}
              disabled={refusal !== null || name === '' || source === '' || (figure === 'mean' && unit.trim() === '')}
            >
              Save the question
            </Button>
            <Button variant="default" onClick={onCancel}>
              Cancel
            </Button>
          </Group>
        </>
      )}
    </Stack>
  );
}

/** Of the description that every question in Python has by itself, none is kept as somebody's own. */
function baseDescription(all: EvaluationType[]): string | undefined {
  return all.find((one) => one.id === PYTHON)?.description;
}

function unitOf(figure: string, unit: string, given: Record<string, unknown>): { unit?: string } {
  if (figure === 'mean') return { unit };
  return 'unit' in given ? { unit: '' } : {}; // a share is in percent
}

function needsOf(needsAnswer: boolean, given: Record<string, unknown>): { needs_answer?: boolean } {
  return needsAnswer && !('needs_answer' in given) ? {} : { needs_answer: needsAnswer };
}

/** Parameters without a field here, which stay as they are. */
function Kept({ parameters }: { parameters: Record<string, unknown> }) {
  const FIELDS = ['source', 'figure', 'direction', 'unit', 'needs_answer'];
  const others = Object.entries(parameters).filter(([key]) => !FIELDS.includes(key));
  return others.map(([key, value]) => (
    <Text key={key} size="xs" c="dimmed">
      <Code>{key}</Code> stays {JSON.stringify(value)}
    </Text>
  ));
}

function Sample() {
  return (
    <details className="folded">
      <summary>What a sample has</summary>
      <dl>
        {SAMPLE.map(([name, is]) => (
          <div key={name}>
            <dt>
              <Code>{name}</Code>
            </dt>
            <dd>{is}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
