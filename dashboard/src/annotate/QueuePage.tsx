import { Anchor, Button, Card, Group, Pill, Stack, Table, Text, Title } from '@mantine/core';
import { Link } from 'wouter';
import { type Agreement, type Estimate, type Queue, useAgreement, useQueue } from '../api/annotations';
import { count } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';

/** One annotation queue: how far it is, and how far people agree. */
export default function QueuePage({ gateway, id }: { gateway: string; id: string }) {
  const queue = useQueue(gateway, id);
  if (queue.isPending) return <Loading rows={8} />;
  if (queue.isError) return <Failed problem={queue.error} retry={() => void queue.refetch()} />;
  return <Opened gateway={gateway} queue={queue.data} />;
}

function Opened({ gateway, queue }: { gateway: string; queue: Queue }) {
  const agreement = useAgreement(gateway, queue.id);
  const mayWrite = useMay('Write');
  const { items, complete, begun, gone, annotators } = queue.progress;
  const base = `/gateways/${encodeURIComponent(gateway)}`;
  return (
    <Page
      title={queue.name}
      actions={
        <>
          <Button variant="default" component={Link} href={`${base}/annotate/${queue.id}/calibration`}>
            Hold a judge against it
          </Button>
          {mayWrite && (
            <Button component={Link} href={`${base}/annotate/${queue.id}/label`}>
              Label logs
            </Button>
          )}
        </>
      }
    >
      <Stack>
        <Group gap="xs">
          {queue.labels.map((label) => (
            <Pill key={label}>{queue.positive_labels.includes(label) ? `${label} ✓` : label}</Pill>
          ))}
          <Text size="sm" c="dimmed">
            ✓ means good; from {queue.datasets.join(', ')}
            {queue.snapshot !== null && `, frozen as ${queue.snapshot.name}`}; {queue.annotators_per_item} people for each log
          </Text>
        </Group>
        {queue.instructions && (
          <Text size="sm" className="logged prose">
            {queue.instructions}
          </Text>
        )}
        <Card>
          <Title order={2} mb="xs">
            Progress
          </Title>
          <Text size="sm" className="figures">
            {count(complete)} of {count(items)} logs are complete, {count(begun)} are begun
            {gone > 0 && `, ${count(gone)} were deleted before`}.
          </Text>
          {Object.keys(annotators).length > 0 && (
            <Text size="sm" c="dimmed" className="figures">
              {Object.entries(annotators)
                .map(([name, seen]) => `${name} has seen ${count(seen)}`)
                .join(' · ')}
            </Text>
          )}
        </Card>
        {agreement.isPending && <Loading />}
        {agreement.isError && <Failed problem={agreement.error} retry={() => void agreement.refetch()} />}
        {agreement.data && <Agreed base={base} agreement={agreement.data} frozen={queue.snapshot !== null} />}
      </Stack>
    </Page>
  );
}

/** `frozen`: of a snapshot's items, which are not among the logs. */
function Agreed({ base, agreement, frozen }: { base: string; agreement: Agreement; frozen: boolean }) {
  if (agreement.marked === 0) {
    return (
      <Card>
        <Empty title="Nobody has labelled a log yet">What people agree on shows here once two of them have labelled the same logs.</Empty>
      </Card>
    );
  }
  const given = Object.entries(agreement.labels)
    .map(([label, times]) => `${label} ${count(times)}`)
    .join(', ');
  return (
    <Card>
      <Title order={2} mb="xs">
        Do people agree?
      </Title>
      <Text size="sm" className="figures" mb="xs">
        {count(agreement.marked)} logs have a label, {count(agreement.shared)} of them those of two people or more. Labels given: {given}
        {agreement.unjudged > 0 && `; ${count(agreement.unjudged)} times “cannot be judged”`}.
      </Text>
      <Table.ScrollContainer minWidth={520} type="native">
        <Table className="rows" aria-label="Agreement">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Who</Table.Th>
              <Table.Th>Figure</Table.Th>
              <Table.Th className="end">Value</Table.Th>
              <Table.Th>95 % interval</Table.Th>
              <Table.Th className="end">Logs</Table.Th>
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            <Figure who="everybody" name="Krippendorff's alpha" estimate={agreement.alpha} />
            {agreement.pairs.map(({ annotators, agreement: alike, kappa }) => {
              const who = annotators.join(' and ');
              return [
                <Figure key={`${who} same`} who={who} name="the same label" estimate={alike} percent />,
                <Figure key={`${who} kappa`} who={who} name="Cohen's kappa" estimate={kappa} />,
              ];
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {agreement.disputed.length > 0 && (
        <>
          <Title order={3} mt="sm" mb={4}>
            Logs on which people differ
          </Title>
          <Group gap="xs">
            {agreement.disputed.slice(0, 20).map((log) =>
              frozen ? (
                <Text key={log} size="sm" className="figures">
                  {log}
                </Text>
              ) : (
                <Anchor key={log} component={Link} size="sm" className="figures" href={`${base}/logs?log=${log}`}>
                  {log.slice(0, 13)}…
                </Anchor>
              ),
            )}
          </Group>
        </>
      )}
    </Card>
  );
}

function Figure({ who, name, estimate, percent = false }: { who: string; name: string; estimate: Estimate; percent?: boolean }) {
  const shown = (value: number) => (percent ? `${(100 * value).toFixed(1)} %` : value.toFixed(3));
  const { value, low, high } = estimate;
  return (
    <Table.Tr>
      <Table.Td className="cell">{who}</Table.Td>
      <Table.Td>{name}</Table.Td>
      <Table.Td className="end figures">{value === null ? 'unknown' : shown(value)}</Table.Td>
      <Table.Td className="figures" style={{ whiteSpace: 'normal' }}>
        {low !== null && high !== null ? `${shown(low)} to ${shown(high)}` : (estimate.note ?? 'none')}
      </Table.Td>
      <Table.Td className="end figures">{count(estimate.n)}</Table.Td>
    </Table.Tr>
  );
}
