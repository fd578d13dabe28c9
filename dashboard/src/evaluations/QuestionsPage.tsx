import { Alert, Anchor, Badge, Button, Group, Text } from '@mantine/core';
import { IconPencil, IconPlus } from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import { useDeleteType, useEvaluationTypes } from '../api/evaluations';
import type { EvaluationType } from '../api/types';
import { Confirm } from '../parts/Confirm';
import { Action, Ago, type Column, Delete, List, Named } from '../parts/List';
import { Empty } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { PYTHON } from './PythonForm';

/** The questions that the account has made: evaluators with parameters, and functions in Python. */
export default function QuestionsPage({ gateway }: { gateway: string }) {
  const [leaving, setLeaving] = useState<EvaluationType | null>(null);
  const types = useEvaluationTypes();
  const remove = useDeleteType();
  const mayWrite = useMay('Write');
  const evaluations = `/gateways/${encodeURIComponent(gateway)}/evaluations`;
  const base = `${evaluations}/questions`;
  const all = types.data ?? [];
  const python = all.find((one) => one.id === PYTHON);
  const columns: Column<EvaluationType>[] = [
    { label: 'Name', show: ({ id, name }) => <Named name={name} href={`${base}/${id}`} /> },
    { label: 'Evaluator', show: ({ evaluator_id }) => all.find((one) => one.id === evaluator_id)?.name ?? evaluator_id },
    { label: 'Says', show: ({ unit, direction }) => [unit, direction && `${direction} is better`].filter(Boolean).join(', ') },
    {
      label: 'State',
      show: ({ enable, refusal }) =>
        enable ? (
          <Badge>ready</Badge>
        ) : (
          <Badge color="yellow" title={refusal ?? undefined}>
            not run here
          </Badge>
        ),
    },
    { label: 'Made', show: ({ created_at }) => <Ago at={created_at} /> },
  ];
  const actions = (type: EvaluationType) => (
    <>
      {type.evaluator_id === PYTHON && <Action label="Change" of={type.name} icon={<IconPencil size={16} />} href={`${base}/${type.id}`} />}
      <Delete of={type.name} onClick={() => setLeaving(type)} />
    </>
  );
  return (
    <Page
      title="Questions"
      actions={
        mayWrite && (
          <Group gap="xs">
            <Button component={Link} href={`${base}/new`} variant="default">
              New question with parameters
            </Button>
            <Button component={Link} href={`${base}/new?evaluator=${PYTHON}`} leftSection={<IconPlus size={14} />}>
              New question in Python
            </Button>
          </Group>
        )
      }
    >
      <Text size="sm" c="dimmed" mb="xs" maw={860}>
        What the account's{' '}
        <Anchor component={Link} href={evaluations} inherit underline="always">
          evaluations
        </Anchor>{' '}
        can ask beside the questions that come with the program. A question never changes; evaluations keep the one that they were made
        with.
      </Text>
      {python?.refusal && (
        <Alert color="yellow" variant="light" mb="xs" title="This server runs no Python of yours">
          {python.refusal}
        </Alert>
      )}
      <List
        label="Questions"
        query={{ ...types, data: types.data && { items: all.filter((one) => one.parameters !== null).reverse() } }}
        columns={columns}
        actions={mayWrite ? actions : undefined}
        minWidth={700}
        empty={
          <Empty title="There is no question of your own yet">
            Write a function in Python that says what you want to know of a log, or give one of the evaluators its parameters: a pattern
            that answers must match, a rubric for a judging model.
          </Empty>
        }
      />
      {leaving !== null && (
        <Confirm title="Delete the question?" change={remove} id={leaving.id} onClose={() => setLeaving(null)}>
          “{leaving.name}” can be asked no more. Evaluations that asked it keep their figures, and have its id in place of its name.
        </Confirm>
      )}
    </Page>
  );
}
