import { Alert, Badge, Button, Card, Code, Group, Modal, Pill, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useLocation } from 'wouter';
import { useEvaluationTypes } from '../api/evaluations';
import { type Shadow, useShadow, useStopShadow } from '../api/shadows';
import { worded } from '../logs/filter-keys';
import { CopyIcon } from '../parts/Copy';
import { count, fullMoment, moment } from '../parts/format';
import { Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { Candidates } from '../trials/Candidates';
import { Items } from '../trials/Items';
import { Results } from '../trials/Results';
import { SidesTable } from '../trials/Sides';
import { Spent } from '../trials/Spent';
import { DayForecastTable } from './DayForecastTable';
import { Drawn } from './Drawn';
import { Resume } from './Resume';
import { DeleteShadow, ShadowBadge } from './ShadowParts';

/** One shadow: what was drawn and what it spent, and its candidates beside the answered traffic. */
export default function ShadowPage({ gateway, id }: { gateway: string; id: string }) {
  const shadow = useShadow(gateway, id);
  const [stopping, stop] = useDisclosure();
  const [deleting, remove] = useDisclosure();
  const [resuming, resume] = useDisclosure();
  const mayWrite = useMay('Write');
  const [, go] = useLocation();
  if (shadow.isPending) return <Loading rows={8} />;
  if (shadow.isError) return <Failed problem={shadow.error} retry={() => void shadow.refetch()} />;
  const { data } = shadow;
  return (
    <Page
      title={data.name}
      actions={
        mayWrite && (
          <>
            {!data.processed && data.stopped_at === null && (
              <Button variant="default" onClick={stop.open}>
                Stop
              </Button>
            )}
            {data.processed && (
              <Button variant="default" onClick={resume.open}>
                Resume
              </Button>
            )}
            <Button variant="default" onClick={remove.open}>
              Delete
            </Button>
          </>
        )
      }
    >
      <Stack>
        <State shadow={data} />
        <Verdicts shadow={data} />
        {data.called > 0 && <Items gateway={gateway} trial={{ ...data, kind: 'shadow', frozen: false }} />}
        <Asked shadow={data} />
        {data.forecast && (
          <Card>
            <Title order={2} mb="xs">
              What a day was expected to cost
            </Title>
            <DayForecastTable forecast={data.forecast} />
          </Card>
        )}
      </Stack>
      {resuming && <Resume gateway={gateway} shadow={data} onClose={resume.close} />}
      {stopping && <Stop gateway={gateway} shadow={data} onClose={stop.close} />}
      {deleting && (
        <DeleteShadow
          gateway={gateway}
          shadow={data}
          onClose={remove.close}
          onDeleted={() => go(`/gateways/${encodeURIComponent(gateway)}/shadows`)}
        />
      )}
    </Page>
  );
}

/** How far it is, and what it has spent. */
function State({ shadow }: { shadow: Shadow }) {
  const paused = shadow.processed ? null : shadow.paused_until;
  return (
    <Card padding={0}>
      <Group p="sm" pb={0} gap="sm" role="status">
        <ShadowBadge shadow={shadow} />
        <Text size="sm" className="figures" style={{ whiteSpace: 'normal' }}>
          {count(shadow.seen)} requests seen, {count(shadow.sampled)} of them drawn; {count(shadow.called)} of at most{' '}
          {count(shadow.max_items)} called
        </Text>
        <CopyIcon text={shadow.id} label="Copy the id" />
      </Group>
      {(shadow.processed || shadow.stopped_at !== null) && (
        <Text size="sm" px="sm" pt={4} className="logged prose">
          {shadow.status_description}
        </Text>
      )}
      <Spent {...shadow.today} cap={shadow.daily_cap} span=" today (UTC)" />
      {paused !== null && (
        <Alert color="yellow" variant="light" p="xs" mx="sm" mt={6}>
          <Text size="sm">
            The day’s cap has no room left. Nothing more is sent before {moment(paused)}, and what is drawn until then is missed.
          </Text>
        </Alert>
      )}
      <Drawn shadow={shadow} />
      <Text size="sm" fw={600} px="sm" pt="sm">
        What came of those that were called
      </Text>
      <SidesTable progress={shadow.progress} total={shadow.called} />
    </Card>
  );
}

/** The candidates beside what was answered, once there is anything to compare. */
function Verdicts({ shadow }: { shadow: Shadow }) {
  const { comparison, compared_items, processed } = shadow;
  if (comparison === null) {
    return (
      <Text size="sm" c="dimmed">
        {processed
          ? 'There is nothing to compare: no request was called.'
          : 'The comparison shows here as soon as some requests were called. A request is looked for when it is 2, 30, 120 and 600 seconds old.'}
      </Text>
    );
  }
  return (
    <>
      {!processed && (
        <Group gap="xs" wrap="nowrap" align="baseline">
          <Badge color="yellow" flex="none">
            provisional
          </Badge>
          <Text size="sm">
            Over {count(compared_items)} requests so far. Whoever looks often enough sees a difference sooner or later where there is none:
            the verdicts at the end are those that count.
          </Text>
        </Group>
      )}
      <Results
        comparison={comparison}
        total={compared_items}
        speed="A logged stream took as long as its client read; a candidate’s answer is read at once."
      >
        {processed && ` They are over ${count(compared_items)} requests.`}
      </Results>
    </>
  );
}

/** What was asked for. */
function Asked({ shadow }: { shadow: Shadow }) {
  const types = useEvaluationTypes();
  const nameOf = (id: string) => types.data?.find((one) => one.id === id)?.name ?? id;
  return (
    <Card>
      <Title order={2} mb="xs">
        What is shadowed
      </Title>
      <Stack gap="xs">
        <Text size="sm">
          {shadow.share} % of the requests
          {shadow.dataset && ` that the dataset “${shadow.dataset.name}” selects`}, from {fullMoment(shadow.created_at)} until{' '}
          {fullMoment(shadow.until)}, through the gateway <Code>{shadow.through}</Code>, {count(shadow.concurrency)} at a time.
          {shadow.evaluation_type_ids.length > 0 && ` Both answers are judged by ${shadow.evaluation_type_ids.map(nameOf).join(', ')}.`}
          {shadow.accept_unknown_cost && ' Calls are sent as well of which nobody knows what they cost.'}
        </Text>
        {shadow.dataset && shadow.dataset.filters.length > 0 && (
          <Group gap={6}>
            {shadow.dataset.filters.map((filter) => (
              <Pill key={JSON.stringify(filter)} size="sm">
                {worded(filter)}
              </Pill>
            ))}
          </Group>
        )}
        <Candidates candidates={shadow.candidates} />
      </Stack>
    </Card>
  );
}

function Stop({ gateway, shadow, onClose }: { gateway: string; shadow: Shadow; onClose: () => void }) {
  const stop = useStopShadow(gateway, shadow.id);
  const underWay = shadow.progress.reduce((sum, one) => sum + one.under_way, 0);
  return (
    <Modal opened onClose={onClose} title="Stop the shadow?">
      <Stack>
        <Text size="sm">
          Nothing more is sent, and the verdicts are drawn up. It can be resumed later, with the requests of then.
          {underWay > 0 && ` ${count(underWay)} calls are under way: they are broken off, and may have been paid all the same.`}
        </Text>
        {stop.isError && <Failed problem={stop.error} />}
        <Group>
          <Button loading={stop.isPending} onClick={() => stop.mutate(undefined, { onSuccess: onClose })}>
            Stop it
          </Button>
          <Button variant="default" onClick={onClose}>
            Let it go on
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
