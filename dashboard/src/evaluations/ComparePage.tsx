import { Anchor, Stack, Text } from '@mantine/core';
import { useQueries } from '@tanstack/react-query';
import { Link, useSearchParams } from 'wouter';
import { evaluationQuery, useComparison, useEvaluationTypes } from '../api/evaluations';
import type { Difference, Evaluation, EvaluationType } from '../api/types';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay, useSession } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { Question } from './Question';
import { StatusBadge } from './ResultParts';

/** Two or more evaluations side by side: each question's answers on one axis. */
export default function ComparePage({ gateway }: { gateway: string }) {
  const [params] = useSearchParams();
  const { account_id } = useSession();
  const ids = [...new Set((params.get('ids') ?? '').split(',').filter(Boolean))];
  const found = useQueries({ queries: ids.map((id) => evaluationQuery(account_id, gateway, id)) });
  if (ids.length < 2) {
    return (
      <Page title="Compare">
        <Empty title="Nothing to compare">
          <Anchor component={Link} size="sm" href={`/gateways/${encodeURIComponent(gateway)}/evaluations`}>
            Choose two or more evaluations
          </Anchor>
        </Empty>
      </Page>
    );
  }
  const failed = found.find((one) => one.isError);
  if (failed?.error) return <Failed problem={failed.error} retry={() => void failed.refetch()} />;
  const evaluations = found.map((one) => one.data).filter((one) => one !== undefined);
  if (evaluations.length < ids.length) return <Loading rows={8} />;
  return (
    <Page title="Compare">
      <Compared gateway={gateway} evaluations={evaluations} />
    </Page>
  );
}

function Compared({ gateway, evaluations }: { gateway: string; evaluations: Evaluation[] }) {
  const kinds = useEvaluationTypes();
  const mayWrite = useMay('Write');
  const types = [...new Set(evaluations.flatMap((one) => one.results.map((result) => result.evaluation_type_id)))];
  const compared = types.filter((id) =>
    isCompared(
      kinds.data?.find((one) => one.id === id),
      evaluations,
      id,
    ),
  );
  const comparison = useComparison(gateway, evaluations, compared);
  return (
    <Stack>
      <Text size="sm" c="dimmed">
        Each against the first, “{evaluations[0]?.name}”. Verdicts are at 95 %, and take into account how many comparisons are made.
      </Text>
      {!mayWrite && <Text size="sm">The verdicts need a token with the permission Write.</Text>}
      {comparison.isError && <Failed problem={comparison.error} retry={() => void comparison.refetch()} />}
      {types.map((type) => (
        <Asked
          key={type}
          gateway={gateway}
          type={type}
          evaluations={evaluations}
          differences={comparison.data?.differences.filter((one) => one.evaluation_type_id === type) ?? []}
        />
      ))}
    </Stack>
  );
}

/** Whether there can be a verdict: what is judged log by log needs kept scores on every side, what is computed does not. */
function isCompared(kind: EvaluationType | undefined, evaluations: Evaluation[], id: string): boolean {
  if (kind === undefined || kind.direction === 'neither') return false;
  return (
    kind.type === 'aggregate' ||
    evaluations.every((one) => one.processed && one.results.some((result) => result.evaluation_type_id === id && result.status === 2))
  );
}

function Asked({
  gateway,
  type,
  evaluations,
  differences,
}: {
  gateway: string;
  type: string;
  evaluations: Evaluation[];
  differences: Difference[];
}) {
  const types = useEvaluationTypes();
  const known = types.data?.find((one) => one.id === type);
  const sides = evaluations.map((one) => {
    const result = one.results.find((result) => result.evaluation_type_id === type);
    return {
      key: one.id,
      name: (
        <Anchor component={Link} href={`/gateways/${encodeURIComponent(gateway)}/evaluations/${one.id}`} size="sm" className="cell">
          {one.name}
        </Anchor>
      ),
      metric: result,
      without:
        result === undefined ? (
          <Text size="sm" c="dimmed">
            not asked
          </Text>
        ) : (
          <StatusBadge result={result} />
        ),
      total: one.total_logs,
    };
  });
  return (
    <Question title={known?.name ?? type} description={known?.description} sideTitle="Evaluation" sides={sides} differences={differences} />
  );
}
