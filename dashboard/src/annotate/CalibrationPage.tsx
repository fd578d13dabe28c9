import { Anchor, Button, Card, Group, NumberInput, Select, SimpleGrid, Stack, Table, Text, Title } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { type Calibration, type Estimate, type Held, type Queue, useAgreement, useCalibration, useQueue } from '../api/annotations';
import { useEvaluation, useEvaluations, useEvaluationTypes } from '../api/evaluations';
import type { Evaluation } from '../api/types';
import { Interval } from '../evaluations/Interval';
import { count } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { Page } from '../shell/Page';
import { inWords, shareOf } from './calibration';

/** A judge's scores held against what people say of the same logs. */
export default function CalibrationPage({ gateway, id }: { gateway: string; id: string }) {
  const queue = useQueue(gateway, id);
  if (queue.isPending) return <Loading rows={8} />;
  if (queue.isError) return <Failed problem={queue.error} retry={() => void queue.refetch()} />;
  const base = `/gateways/${encodeURIComponent(gateway)}`;
  return (
    <Page
      title="Can the judge be believed?"
      actions={
        <Button variant="default" component={Link} href={`${base}/annotate/${id}`}>
          To the queue
        </Button>
      }
    >
      <Stack>
        <Text size="sm">
          An evaluation’s scores, held against what most people say in “{queue.data.name}”. Good is:{' '}
          {queue.data.positive_labels.join(', ') || 'none of the labels'}. Draw the queue from the same datasets as the evaluation, or what
          is learnt of the judge’s errors is about other logs.
        </Text>
        <Chosen gateway={gateway} queue={queue.data} />
      </Stack>
    </Page>
  );
}

/** Which judge; the choice is in the address, so that it can be shared. */
function Chosen({ gateway, queue }: { gateway: string; queue: Queue }) {
  const [params, setParams] = useSearchParams();
  const evaluation_id = params.get('evaluation') ?? '';
  const evaluation_type_id = params.get('type') ?? '';
  const [threshold, setThreshold] = useState<string | number>(Number(params.get('threshold') ?? 1));
  const [settled] = useDebouncedValue(threshold, 300);
  const set = (change: Record<string, string>) =>
    setParams((before) => {
      const after = new URLSearchParams(before);
      for (const [name, value] of Object.entries(change)) after.set(name, value);
      return after;
    });
  const held =
    evaluation_id && evaluation_type_id && settled !== '' ? { evaluation_id, evaluation_type_id, threshold: Number(settled) } : null;
  return (
    <>
      <Card>
        <SimpleGrid cols={{ base: 1, sm: 3 }}>
          <EvaluationSelect gateway={gateway} value={evaluation_id} onChange={(id) => set({ evaluation: id, type: '' })} />
          <TypeSelect gateway={gateway} evaluation_id={evaluation_id} value={evaluation_type_id} onChange={(type) => set({ type })} />
          <NumberInput
            label="Good is a score from"
            description="A score at or above it is the judge’s good."
            value={threshold}
            step={0.1}
            onChange={(value) => {
              setThreshold(value);
              if (value !== '') set({ threshold: String(value) });
            }}
          />
        </SimpleGrid>
      </Card>
      {held === null ? (
        <Card>
          <Empty title="Which judge?">Choose an evaluation, and the question of it that the judge has answered.</Empty>
        </Card>
      ) : (
        <Result gateway={gateway} queue={queue} held={held} />
      )}
    </>
  );
}

interface SelectProps {
  gateway: string;
  value: string;
  onChange: (id: string) => void;
}

function EvaluationSelect({ gateway, value, onChange }: SelectProps) {
  const [search, setSearch] = useState('');
  const [settled] = useDebouncedValue(search, 300);
  const [named, setNamed] = useState('');
  const found = useEvaluations(gateway, 1, settled === named ? '' : settled);
  const chosen = useEvaluation(gateway, value, value !== '');
  const known: Evaluation[] = found.data?.items ?? [];
  const all = chosen.data && known.every((one) => one.id !== chosen.data.id) ? [chosen.data, ...known] : known;
  return (
    <Select
      label="Evaluation"
      description="Of the judge’s scores."
      placeholder="choose one"
      searchable
      data={all.map((one) => ({ value: one.id, label: one.processed ? one.name : `${one.name} (still running)` }))}
      filter={({ options }) => options}
      value={value || null}
      onSearchChange={setSearch}
      onChange={(id) => {
        setNamed(all.find((one) => one.id === id)?.name ?? '');
        if (id) onChange(id);
      }}
      error={found.error?.message ?? (found.data?.items.length === 0 && search === '' ? 'There is no evaluation yet' : undefined)}
    />
  );
}

function TypeSelect({ gateway, evaluation_id, value, onChange }: SelectProps & { evaluation_id: string }) {
  const evaluation = useEvaluation(gateway, evaluation_id, evaluation_id !== '');
  const types = useEvaluationTypes();
  const kindOf = (id: string) => types.data?.find((one) => one.id === id);
  const asked = (evaluation.data?.results ?? []).map((one) => one.evaluation_type_id).filter((id) => kindOf(id)?.type !== 'aggregate');
  const none = evaluation.data !== undefined && types.data !== undefined && asked.length === 0;
  return (
    <Select
      label="Question"
      description="Those that score each log by itself."
      placeholder={evaluation_id === '' ? 'first the evaluation' : 'choose one'}
      disabled={evaluation_id === ''}
      data={asked.map((id) => ({ value: id, label: kindOf(id)?.name ?? id }))}
      value={value || null}
      onChange={(id) => id && onChange(id)}
      error={evaluation.error?.message ?? (none ? 'This evaluation scores no log by itself' : undefined)}
    />
  );
}

function Result({ gateway, queue, held }: { gateway: string; queue: Queue; held: Held }) {
  const calibration = useCalibration(gateway, queue.id, held);
  if (calibration.isPending) return <Loading rows={8} />;
  if (calibration.isError) return <Failed problem={calibration.error} retry={() => void calibration.refetch()} />;
  return (
    <>
      <Meaning calibration={calibration.data} />
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Confusion calibration={calibration.data} />
        <Agreements gateway={gateway} queue={queue} calibration={calibration.data} />
      </SimpleGrid>
      <Shares gateway={gateway} evaluation_id={held.evaluation_id} calibration={calibration.data} />
    </>
  );
}

/** What the figures say, for who does not read figures. */
function Meaning({ calibration }: { calibration: Calibration }) {
  return (
    <Card component="section" aria-label="What this means">
      <Title order={2} mb="xs">
        What this means
      </Title>
      <Stack gap={4}>
        {inWords(calibration).map((line) => (
          <Text key={line} size="sm">
            {line}
          </Text>
        ))}
      </Stack>
    </Card>
  );
}

function Confusion({ calibration }: { calibration: Calibration }) {
  const { both_good, judge_only, people_only, both_bad, tied, unscored } = calibration;
  const rows: [string, number, number][] = [
    ['The judge says good', both_good, judge_only],
    ['The judge says not good', people_only, both_bad],
  ];
  const left = [
    tied > 0 ? `${count(tied)} logs on which people are of two minds` : null,
    unscored > 0 ? `${count(unscored)} labelled logs without a score of the judge` : null,
  ].filter(Boolean);
  return (
    <Card>
      <Title order={2} mb="xs">
        Judge and people
      </Title>
      <Table className="rows confusion" aria-label="Confusion table" withTableBorder withColumnBorders>
        <Table.Thead>
          <Table.Tr>
            <Table.Td />
            <Table.Th className="end">People say good</Table.Th>
            <Table.Th className="end">People say not</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(([name, good, bad], index) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">{name}</Table.Th>
              {[good, bad].map((times, column) => (
                <Table.Td key={column} className="end" bg={index === column ? 'var(--mantine-primary-color-light)' : undefined}>
                  <Text fz={20} fw={600} className="figures" component="span">
                    {count(times)}
                  </Text>
                </Table.Td>
              ))}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      <Text size="xs" c="dimmed" mt="xs" className="figures" style={{ whiteSpace: 'normal' }}>
        {left.length > 0 ? `Not in the table: ${left.join('; ')}.` : 'Every labelled log is in the table.'}
      </Text>
    </Card>
  );
}

function Agreements({ gateway, queue, calibration }: { gateway: string; queue: Queue; calibration: Calibration }) {
  const people = useAgreement(gateway, queue.id);
  return (
    <Card>
      <Title order={2} mb="xs">
        How far they agree
      </Title>
      <Table.ScrollContainer minWidth={420} type="native">
        <Table aria-label="Agreement" className="rows">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Figure</Table.Th>
              <Table.Th className="end">Value</Table.Th>
              <Table.Th>95 % interval</Table.Th>
              <Table.Th className="end">Logs</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            <Row name="Judge and people say the same" estimate={calibration.agreement} shown={shareOf} />
            <Row name="Cohen’s kappa of judge and people" estimate={calibration.kappa} />
            {people.data && <Row name="Krippendorff’s alpha of people" estimate={people.data.alpha} />}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {people.isError && <Failed problem={people.error} retry={() => void people.refetch()} />}
      <Text size="xs" c="dimmed" mt="xs">
        Kappa and alpha take off what chance alone would give: 1 is full agreement, 0 is chance. A judge can hardly agree with people more
        than people do among themselves.
      </Text>
    </Card>
  );
}

function Row({
  name,
  estimate,
  shown = (value) => value.toFixed(3),
}: {
  name: string;
  estimate: Estimate;
  shown?: (value: number) => string;
}) {
  const { value, low, high, note, n } = estimate;
  return (
    <Table.Tr>
      <Table.Td style={{ whiteSpace: 'normal' }}>{name}</Table.Td>
      <Table.Td className="end figures">{value === null ? 'unknown' : shown(value)}</Table.Td>
      <Table.Td className="figures" style={{ whiteSpace: 'normal' }}>
        {low !== null && high !== null ? `${shown(low)} to ${shown(high)}` : (note ?? 'none')}
      </Table.Td>
      <Table.Td className="end figures">{count(n)}</Table.Td>
    </Table.Tr>
  );
}

const SHARES: { name: 'sensitivity' | 'specificity' | 'judged' | 'corrected'; label: string; says: string }[] = [
  { name: 'sensitivity', label: 'Sensitivity', says: 'of what people call good, what the judge calls good' },
  { name: 'specificity', label: 'Specificity', says: 'of what people do not call good, what the judge does not either' },
  { name: 'judged', label: 'Good, as the judge says', says: 'over all of its scores, as it stands' },
  { name: 'corrected', label: 'Good, with its errors taken off', says: 'the same share, corrected by what people say' },
];

/** Shares from 0 to 100 %, on one axis. */
function Shares({ gateway, evaluation_id, calibration }: { gateway: string; evaluation_id: string; calibration: Calibration }) {
  return (
    <Card padding={0}>
      <Group p="sm" pb={0} justify="space-between">
        <Title order={2}>The judge’s rate, and its errors</Title>
        <Anchor component={Link} size="sm" href={`/gateways/${encodeURIComponent(gateway)}/evaluations/${evaluation_id}`}>
          The evaluation
        </Anchor>
      </Group>
      <Table.ScrollContainer minWidth={640} type="native">
        <Table className="rows" aria-label="Rates" verticalSpacing="xs">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Share</Table.Th>
              <Table.Th>Value</Table.Th>
              <Table.Th>How sure</Table.Th>
              <Table.Th className="end">Of</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {SHARES.map(({ name, label, says }) => (
              <Table.Tr key={name}>
                <Table.Td>
                  <Text size="sm" fw={600}>
                    {label}
                  </Text>
                  <Text size="xs" c="dimmed">
                    {says}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <Text fz={name === 'corrected' ? 20 : 'sm'} fw={600} className="figures">
                    {calibration[name].value === null ? 'unknown' : shareOf(calibration[name].value)}
                  </Text>
                </Table.Td>
                <Table.Td>
                  <Drawn estimate={calibration[name]} />
                </Table.Td>
                <Table.Td className="end figures">{count(calibration[name].n)}</Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </Card>
  );
}

function Drawn({ estimate: { value, low, high, note } }: { estimate: Estimate }) {
  if (value === null) {
    return (
      <Text size="xs" style={{ whiteSpace: 'normal' }} maw={320}>
        {note ?? 'not known'}
      </Text>
    );
  }
  const text = (share: number | null) => (share === null ? null : String(100 * share));
  const drawn = { result: String(100 * value), low: text(low), high: text(high), unit: '%', interval_level: 0.95, interval_note: note };
  return <Interval result={drawn} axis={[0, 100]} />;
}
