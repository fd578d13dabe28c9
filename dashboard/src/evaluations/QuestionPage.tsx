import { Card, Code, Stack, Text, Title } from '@mantine/core';
import { useLocation, useSearchParams } from 'wouter';
import { useEvaluationTypes } from '../api/evaluations';
import type { EvaluationType } from '../api/types';
import { CopyIcon } from '../parts/Copy';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { QuestionForm } from './CustomType';
import { PYTHON, PythonForm } from './PythonForm';

export const NEW = 'new';

/** One question of the account's own, or a new one. */
export default function QuestionPage({ gateway, id }: { gateway: string; id: string }) {
  const types = useEvaluationTypes();
  const [params] = useSearchParams();
  const [, go] = useLocation();
  const mayWrite = useMay('Write');
  if (types.isPending) return <Loading rows={8} />;
  if (types.isError) return <Failed problem={types.error} retry={() => void types.refetch()} />;
  const all = types.data;
  const type = all.find((one) => one.id === id);
  const back = () => go(`/gateways/${encodeURIComponent(gateway)}/evaluations/questions`);
  if (id === NEW && mayWrite)
    return (
      <Page title="New question">
        <QuestionForm gateway={gateway} all={all} first={params.get('evaluator') ?? undefined} onCreated={back} onCancel={back} />
      </Page>
    );
  if (type === undefined) return <Empty title="There is no such question">It may have been deleted.</Empty>;
  return (
    <Page title={type.name} actions={<CopyIcon text={type.id} label="Copy the id" />}>
      {type.evaluator_id === PYTHON && type.parameters !== null ? (
        <PythonForm gateway={gateway} all={all} from={type} readOnly={!mayWrite} onSaved={back} onCancel={back} />
      ) : (
        <Parameters type={type} />
      )}
    </Page>
  );
}

function Parameters({ type }: { type: EvaluationType }) {
  return (
    <Card>
      <Stack gap="xs">
        <Text size="sm">{type.description}</Text>
        {type.refusal && <Text size="sm">{type.refusal}</Text>}
        <Title order={2}>Parameters</Title>
        <Code block>{JSON.stringify(type.parameters ?? {}, null, 2)}</Code>
      </Stack>
    </Card>
  );
}
