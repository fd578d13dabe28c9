import { Button, Checkbox, Group, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconArrowsDiff, IconPlus, IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import { Link, useLocation, useSearchParams } from 'wouter';
import { useEvaluations, useEvaluationTypes } from '../api/evaluations';
import type { Evaluation, Result } from '../api/types';
import { count } from '../parts/format';
import { Ago, type Column, List, Named } from '../parts/List';
import { Empty } from '../parts/States';
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
  const choose = (id: string, yes: boolean) => setChosen(yes ? [...chosen, id] : chosen.filter((one) => one !== id));
  const columns: Column<Evaluation>[] = [
    {
      label: 'Choose to compare',
      unlabelled: true,
      show: ({ id, name }) => (
        <Checkbox
          aria-label={`Choose ${name}`}
          checked={chosen.includes(id)}
          onChange={(event) => choose(id, event.currentTarget.checked)}
        />
      ),
    },
    { label: 'Name', show: ({ id, name }) => <Named name={name} href={`${base}/${id}`} /> },
    { label: 'State', show: (evaluation) => <StateBadge evaluation={evaluation} /> },
    { label: 'Datasets', show: ({ datasets }) => <span className="cell">{datasets.map((dataset) => dataset.name).join(', ')}</span> },
    { label: 'Logs', end: true, show: ({ processed, total_logs }) => (processed ? count(total_logs) : '…') },
    { label: 'Results', show: ({ results }) => <Results results={results} /> },
    { label: 'Created', show: ({ created_at }) => <Ago at={created_at} /> },
  ];
  return (
    <Page
      title="Evaluations"
      actions={
        <>
          <Button component={Link} href={`${base}/questions`} variant="default">
            Questions
          </Button>
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
      <List
        label="Evaluations"
        query={evaluations}
        columns={columns}
        onPage={setPage}
        minWidth={720}
        empty={
          <Empty title={search ? 'No evaluation matches' : 'There is no evaluation yet'}>
            {search
              ? 'The search looks into ids and names.'
              : 'An evaluation asks questions about the logs of one or more datasets (what did they cost, how fast were they, did people like them) and says how sure each answer is.'}
          </Empty>
        }
      />
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

function Results({ results }: { results: Result[] }) {
  const types = useEvaluationTypes();
  const nameOf = (id: string) => types.data?.find((type) => type.id === id)?.name ?? id;
  return (
    <Group gap="md" wrap="nowrap">
      {results.slice(0, 4).map((result) => (
        <div key={result.id}>
          <Text size="xs" c="dimmed">
            {nameOf(result.evaluation_type_id)}
          </Text>
          <Text size="sm" className="figures" title={result.status_description}>
            {inUnit(result.result, result.unit)}
          </Text>
        </div>
      ))}
      {results.length > 4 && (
        <Text size="xs" c="dimmed">
          and {results.length - 4} more
        </Text>
      )}
    </Group>
  );
}
