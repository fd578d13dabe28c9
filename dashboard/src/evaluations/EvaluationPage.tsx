import { Anchor, Button, Card, Group, Pill, Stack, Table, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { useDeleteEvaluation, useEvaluation, useEvaluationTypes, useRun } from '../api/evaluations';
import type { Dataset, Evaluation, Result } from '../api/types';
import { worded } from '../logs/filter-keys';
import { Confirm } from '../parts/Confirm';
import { CopyIcon } from '../parts/Copy';
import { count, fullMoment } from '../parts/format';
import { Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { ByGroup } from './ByGroup';
import { axisOf, inUnit, isFinal } from './figures';
import { Interval } from './Interval';
import { Items } from './Items';
import { Basis, StateBadge, StatusBadge } from './ResultParts';

export default function EvaluationPage({ gateway, id }: { gateway: string; id: string }) {
  const evaluation = useEvaluation(gateway, id);
  const [deleting, { open, close }] = useDisclosure();
  const mayWrite = useMay('Write');
  if (evaluation.isPending) return <Loading rows={8} />;
  if (evaluation.isError) return <Failed problem={evaluation.error} retry={() => void evaluation.refetch()} />;
  const { data } = evaluation;
  const base = `/gateways/${encodeURIComponent(gateway)}/evaluations`;
  const again = `${base}?new=${data.datasets.map((one) => one.id).join(',')}&types=${data.results.map((one) => one.evaluation_type_id).join(',')}`;
  return (
    <Page
      title={data.name}
      actions={
        mayWrite && (
          <>
            <RunButtons gateway={gateway} evaluation={data} />
            {!data.snapshot && (
              <Button component={Link} href={again} variant="default">
                Evaluate again
              </Button>
            )}
            <Button variant="default" onClick={open}>
              Delete
            </Button>
          </>
        )
      }
    >
      <Stack>
        <Group gap="sm" role="status">
          <StateBadge evaluation={data} />
          <Text size="sm" className="figures">
            {data.processed ? `${count(data.total_logs)} logs selected` : 'selecting logs …'}
            {data.snapshot ? ' of a snapshot' : `, up to ${fullMoment(data.created_at)}`}
          </Text>
          <CopyIcon text={data.id} label="Copy the id" />
        </Group>
        <Results gateway={gateway} evaluation={data} />
        {data.processed && data.total_logs > 0 && <ByGroup gateway={gateway} evaluation={data} />}
        {data.snapshot ? (
          <Frozen snapshot={data.snapshot} of={data.datasets} />
        ) : (
          <Datasets gateway={gateway} datasets={data.datasets} until={data.created_at} />
        )}
      </Stack>
      {deleting && <DeleteEvaluation gateway={gateway} evaluation={data} onClose={close} base={base} />}
    </Page>
  );
}

function Results({ gateway, evaluation }: { gateway: string; evaluation: Evaluation }) {
  const [shown, setShown] = useState<string | null>(null);
  return (
    <>
      <Card padding={0}>
        <Table.ScrollContainer minWidth={820} type="native">
          <Table aria-label="Results" verticalSpacing="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Question</Table.Th>
                <Table.Th>Answer</Table.Th>
                <Table.Th>How sure</Table.Th>
                <Table.Th>Computed from</Table.Th>
                <Table.Th>State</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {evaluation.results.map((result) => (
                <ResultRow
                  key={result.id}
                  result={result}
                  total={evaluation.total_logs}
                  onItems={() => setShown(shown === result.evaluation_type_id ? null : result.evaluation_type_id)}
                />
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Card>
      {shown !== null && <Items key={shown} gateway={gateway} evaluation={evaluation} type={shown} />}
    </>
  );
}

function ResultRow({ result, total, onItems }: { result: Result; total: number; onItems: () => void }) {
  const types = useEvaluationTypes();
  const type = types.data?.find((one) => one.id === result.evaluation_type_id);
  return (
    <Table.Tr>
      <Table.Td maw={260}>
        <Text size="sm" fw={600}>
          {type?.name ?? result.evaluation_type_id}
        </Text>
        <Text size="xs" c="dimmed">
          {type?.description}
        </Text>
      </Table.Td>
      <Table.Td>
        <Text fz={20} fw={600} className="figures" title={result.result || undefined}>
          {isFinal(result) ? inUnit(result.result, result.unit) : '…'}
        </Text>
      </Table.Td>
      <Table.Td>
        <Interval result={result} axis={axisOf([result])} />
      </Table.Td>
      <Table.Td>
        {(isFinal(result) || result.pending > 0) && <Basis result={result} total={total} />}
        {result.pending > 0 && (
          <Text size="xs" c="dimmed" className="figures">
            {count(result.pending)} still to come
          </Text>
        )}
        {type !== undefined && type.type !== 'aggregate' && (
          <Button size="compact-xs" variant="default" mt={4} onClick={onItems}>
            Its logs
          </Button>
        )}
      </Table.Td>
      <Table.Td maw={260}>
        <StatusBadge result={result} />
        <Text size="xs" c="dimmed" style={{ whiteSpace: 'normal' }}>
          {result.status_description}
        </Text>
      </Table.Td>
    </Table.Tr>
  );
}

function Datasets({ gateway, datasets, until }: { gateway: string; datasets: Dataset[]; until: string }) {
  return (
    <Card>
      <Title order={2} mb="xs">
        Datasets, as they were
      </Title>
      <Stack gap={6}>
        {datasets.map((dataset) => {
          const filters = [...dataset.filters, { key: 'created_at', operator: 'lt', value: [until] }];
          return (
            <Group key={dataset.id} gap={6}>
              <Anchor
                component={Link}
                size="sm"
                fw={600}
                href={`/gateways/${encodeURIComponent(gateway)}/logs?filters=${encodeURIComponent(JSON.stringify(filters))}`}
                title="Its logs up to the evaluation"
              >
                {dataset.name}
              </Anchor>
              {dataset.filters.length === 0 ? (
                <Text size="xs" c="dimmed">
                  all logs
                </Text>
              ) : (
                dataset.filters.map((filter, index) => (
                  <Pill key={index} size="xs">
                    {worded(filter)}
                  </Pill>
                ))
              )}
            </Group>
          );
        })}
      </Stack>
    </Card>
  );
}

function Frozen({ snapshot, of }: { snapshot: NonNullable<Evaluation['snapshot']>; of: Dataset[] }) {
  return (
    <Card>
      <Title order={2} mb="xs">
        Snapshot
      </Title>
      <Group gap={6}>
        <Text size="sm" fw={600}>
          {snapshot.name}
        </Text>
        <Text size="sm">
          of {of.map((dataset) => dataset.name).join(', ')}: {count(snapshot.items)} items, expected answers as of version{' '}
          {snapshot.expected_version}
        </Text>
        <Text size="xs" c="dimmed" className="figures">
          {snapshot.hash.slice(0, 16)}…
        </Text>
        <CopyIcon text={snapshot.hash} label="Copy the hash" />
      </Group>
    </Card>
  );
}

function DeleteEvaluation({
  gateway,
  evaluation,
  base,
  onClose,
}: {
  gateway: string;
  evaluation: Evaluation;
  base: string;
  onClose: () => void;
}) {
  const remove = useDeleteEvaluation(gateway);
  const [, go] = useLocation();
  return (
    <Confirm title="Delete the evaluation?" change={remove} id={evaluation.id} onClose={onClose} onDone={() => go(base)}>
      “{evaluation.name}” goes with its results{evaluation.processed ? '' : ', and stops running'}. Logs and datasets stay.
    </Confirm>
  );
}

/** What can be done with a run as it stands. */
function RunButtons({ gateway, evaluation }: { gateway: string; evaluation: Evaluation }) {
  const run = useRun(gateway, evaluation.id);
  const cancelled = evaluation.results.some((one) => one.status === 5);
  const failed = evaluation.processed && evaluation.results.some((one) => one.status === 4 || one.failed > 0);
  return (
    <>
      {run.isError && (
        <Text size="xs" c="red" role="alert">
          {run.error.message}
        </Text>
      )}
      {!evaluation.processed && (
        <Button variant="default" loading={run.isPending} onClick={() => run.mutate('cancel')}>
          Cancel
        </Button>
      )}
      {cancelled && (
        <Button variant="default" loading={run.isPending} onClick={() => run.mutate('resume')}>
          Resume
        </Button>
      )}
      {failed && (
        <Button variant="default" loading={run.isPending} onClick={() => run.mutate('retry')}>
          Retry what failed
        </Button>
      )}
    </>
  );
}
