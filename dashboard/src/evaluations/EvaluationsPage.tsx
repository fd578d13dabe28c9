import { Anchor, Button, Card, Checkbox, Group, Pagination, Table, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconArrowsDiff, IconPlus, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { useEvaluations, useEvaluationTypes } from '../api/evaluations';
import type { Evaluation } from '../api/types';
import { ago, count, fullMoment } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { inUnit } from './figures';
import { NewEvaluation } from './NewEvaluation';
import { StateBadge } from './ResultParts';

export default function EvaluationsPage({ gateway }: { gateway: string }) {
  const [page, setPage] = useState(1);
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text, 300);
  const [chosen, setChosen] = useState<string[]>([]);
  const [params, setParams] = useSearchParams();
  const [, go] = useLocation();
  const evaluations = useEvaluations(gateway, page, search);
  const mayWrite = useMay('Write');
  const base = `/gateways/${encodeURIComponent(gateway)}/evaluations`;
  const asked = params.get('new');
  const total = evaluations.data?.info.total_count ?? 0;
  return (
    <Page
      title="Evaluations"
      actions={
        <>
          <Button
            variant="default"
            leftSection={<IconArrowsDiff size={14} />}
            disabled={chosen.length < 2}
            onClick={() => go(`${base}/compare?ids=${chosen.join(',')}`)}
          >
            Compare {chosen.length > 1 ? chosen.length : ''}
          </Button>
          {mayWrite && (
            <Button leftSection={<IconPlus size={14} />} onClick={() => setParams({ new: '' })}>
              New evaluation
            </Button>
          )}
        </>
      }
    >
      <TextInput
        aria-label="Search evaluations"
        placeholder="Search in names"
        leftSection={<IconSearch size={14} />}
        w={260}
        mb="xs"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setPage(1);
        }}
      />
      <Card padding={0}>
        {evaluations.isPending && <Loading />}
        {evaluations.isError && <Failed problem={evaluations.error} retry={() => void evaluations.refetch()} />}
        {evaluations.data?.items.length === 0 && (
          <Empty title={search ? 'No evaluation matches' : 'There is no evaluation yet'}>
            {search
              ? 'The search looks into ids and names.'
              : 'An evaluation asks questions about the logs of one or more datasets (what did they cost, how fast were they, did people like them) and says how sure each answer is.'}
          </Empty>
        )}
        {evaluations.data && evaluations.data.items.length > 0 && (
          <Table.ScrollContainer minWidth={720} type="native">
            <Table className="rows" aria-label="Evaluations">
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>
                    <span className="visually-hidden">Choose to compare</span>
                  </Table.Th>
                  <Table.Th>Name</Table.Th>
                  <Table.Th>State</Table.Th>
                  <Table.Th>Datasets</Table.Th>
                  <Table.Th className="end">Logs</Table.Th>
                  <Table.Th>Results</Table.Th>
                  <Table.Th>Created</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {evaluations.data.items.map((one) => (
                  <EvaluationRow
                    key={one.id}
                    evaluation={one}
                    href={`${base}/${one.id}`}
                    chosen={chosen.includes(one.id)}
                    onChoose={(yes) => setChosen(yes ? [...chosen, one.id] : chosen.filter((id) => id !== one.id))}
                  />
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        )}
      </Card>
      {total > 50 && <Pagination mt="sm" size="sm" total={Math.ceil(total / 50)} value={page} onChange={setPage} />}
      {asked !== null && mayWrite && (
        <NewEvaluation
          gateway={gateway}
          datasets={asked ? asked.split(',') : []}
          types={params.get('types')?.split(',')}
          onClose={() => setParams({})}
          onCreated={(id) => go(`${base}/${id}`)}
        />
      )}
    </Page>
  );
}

interface RowProps {
  evaluation: Evaluation;
  href: string;
  chosen: boolean;
  onChoose: (yes: boolean) => void;
}

function EvaluationRow({ evaluation, href, chosen, onChoose }: RowProps) {
  const types = useEvaluationTypes();
  const nameOf = (id: string) => types.data?.find((type) => type.id === id)?.name ?? id;
  return (
    <Table.Tr>
      <Table.Td w={30}>
        <Checkbox aria-label={`Choose ${evaluation.name}`} checked={chosen} onChange={(event) => onChoose(event.currentTarget.checked)} />
      </Table.Td>
      <Table.Td>
        <Anchor component={Link} href={href} size="sm" fw={600} className="cell" title={evaluation.name}>
          {evaluation.name}
        </Anchor>
      </Table.Td>
      <Table.Td>
        <StateBadge evaluation={evaluation} />
      </Table.Td>
      <Table.Td>
        <span className="cell">{evaluation.datasets.map((dataset) => dataset.name).join(', ')}</span>
      </Table.Td>
      <Table.Td className="end figures">{evaluation.processed ? count(evaluation.total_logs) : '…'}</Table.Td>
      <Table.Td>
        <Group gap="md" wrap="nowrap">
          {evaluation.results.slice(0, 4).map((result) => (
            <div key={result.id}>
              <Text size="xs" c="dimmed">
                {nameOf(result.evaluation_type_id)}
              </Text>
              <Text size="sm" className="figures" title={result.status_description}>
                {inUnit(result.result, result.unit)}
              </Text>
            </div>
          ))}
          {evaluation.results.length > 4 && (
            <Text size="xs" c="dimmed">
              and {evaluation.results.length - 4} more
            </Text>
          )}
        </Group>
      </Table.Td>
      <Table.Td title={fullMoment(evaluation.created_at)}>{ago(evaluation.created_at)}</Table.Td>
    </Table.Tr>
  );
}
