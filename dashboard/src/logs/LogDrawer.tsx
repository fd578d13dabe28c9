import {
  ActionIcon,
  Alert,
  Badge,
  Box,
  Button,
  Drawer,
  Group,
  NumberInput,
  SegmentedControl,
  Stack,
  Table,
  Tabs,
  Text,
  Tooltip,
} from '@mantine/core';
import { IconColumns2, IconDownload, IconFilterPlus, IconThumbDown, IconThumbUp } from '@tabler/icons-react';
import { type FormEvent, type ReactNode, useMemo, useState } from 'react';
import { type Place, useFrozenBody, useFrozenLog } from '../api/frozen';
import { useGatewayUrl } from '../api/gateways';
import { type Body, bodyAddress, useBody, useEditLog, useLog } from '../api/logs';
import type { Filter, LogDetail } from '../api/types';
import { bytes, count, dollars, fullMoment, milliseconds, UNKNOWN } from '../parts/format';
import { CopyIcon, CopyText } from '../parts/Copy';
import { Failed, Loading } from '../parts/States';
import { useMay, useSession } from '../session/SessionContext';
import { hexRows, readBytes } from './body-text';
import { OutcomeBadge } from './columns';
import { Conversation, LoggedText } from './Conversation';
import { parsed, readAnswer, readRequest, type Turn } from './conversation';
import { asCurl } from './curl';
import { MetadataForm } from './MetadataForm';

interface Props {
  gateway: string;
  log: string | null;
  onClose: () => void;
  onFilter: (filter: Filter) => void;
  /** Chooses the log to be compared with another one. */
  onCompare: (log: string) => void;
}

export function LogDrawer({ gateway, log, onClose, onFilter, onCompare }: Props) {
  return (
    <Drawer
      opened={log !== null}
      onClose={onClose}
      position="right"
      size="xl"
      title="Log"
      closeButtonProps={{ 'aria-label': 'Close the log' }}
    >
      {log !== null && <Opened key={log} gateway={gateway} id={log} onFilter={onFilter} onCompare={onCompare} />}
    </Drawer>
  );
}

type Actions = Pick<Props, 'onFilter' | 'onCompare'>;

function Opened({ gateway, id, ...actions }: { gateway: string; id: string } & Actions) {
  const log = useLog(gateway, id);
  if (log.isPending) return <Loading rows={10} />;
  if (log.isError) return <Failed problem={log.error} retry={() => void log.refetch()} />;
  return <Sheet gateway={gateway} log={log.data} {...actions} />;
}

function Sheet({ gateway, log, onFilter, onCompare }: { gateway: string; log: LogDetail } & Actions) {
  const request = useBody(gateway, log.id, 'request');
  const response = useBody(gateway, log.id, 'response');
  return (
    <Stack gap="sm">
      <Group justify="space-between" align="flex-start">
        <Group gap={6}>
          <OutcomeBadge log={log} />
          <Text fw={600} className="cell" maw={280} title={log.model}>
            {log.model || log.provider}
          </Text>
        </Group>
        <Group gap="xs">
          <Thumbs gateway={gateway} log={log} />
          <Button variant="default" leftSection={<IconColumns2 size={14} />} onClick={() => onCompare(log.id)}>
            Compare
          </Button>
          <Curl gateway={gateway} log={log} body={request.data} />
        </Group>
      </Group>
      {log.error && (
        <Alert color="red" variant="light" title="What went wrong">
          <Text size="sm" className="logged prose">
            {log.error}
          </Text>
        </Alert>
      )}
      <Figures log={log} />
      <Tabs defaultValue="conversation" keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="conversation">Conversation</Tabs.Tab>
          <Tabs.Tab value="request">Request</Tabs.Tab>
          <Tabs.Tab value="response">Response</Tabs.Tab>
          <Tabs.Tab value="attempts">Attempts ({log.attempts.length})</Tabs.Tab>
          <Tabs.Tab value="details">Details</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="conversation" pt="sm">
          <Talk log={log} request={request} response={response} />
        </Tabs.Panel>
        <Tabs.Panel value="request" pt="sm">
          <RawBody gateway={gateway} log={log} which="request" body={request} />
        </Tabs.Panel>
        <Tabs.Panel value="response" pt="sm">
          <RawBody gateway={gateway} log={log} which="response" body={response} />
        </Tabs.Panel>
        <Tabs.Panel value="attempts" pt="sm">
          <Attempts log={log} />
        </Tabs.Panel>
        <Tabs.Panel value="details" pt="sm">
          <Details gateway={gateway} log={log} onFilter={onFilter} />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}

type BodyQuery = ReturnType<typeof useBody>;

function Thumbs({ gateway, log }: { gateway: string; log: LogDetail }) {
  const edit = useEditLog(gateway, log.id);
  const mayWrite = useMay('Write');
  if (!mayWrite) return null;
  const give = (feedback: number) => edit.mutate({ feedback: log.feedback === feedback ? 0 : feedback });
  return (
    <Group gap={2} role="group" aria-label="Feedback">
      {[
        { feedback: 1, label: 'Thumbs up', Icon: IconThumbUp, colour: 'gauge' },
        { feedback: -1, label: 'Thumbs down', Icon: IconThumbDown, colour: 'red' },
      ].map(({ feedback, label, Icon, colour }) => (
        <Tooltip key={feedback} label={log.feedback === feedback ? `${label}: given; click to take it back` : label}>
          <ActionIcon
            aria-label={label}
            aria-pressed={log.feedback === feedback}
            variant={log.feedback === feedback ? 'filled' : 'default'}
            color={colour}
            loading={edit.isPending}
            onClick={() => give(feedback)}
          >
            <Icon size={16} />
          </ActionIcon>
        </Tooltip>
      ))}
      {edit.isError && (
        <Text size="xs" c="red" role="alert">
          {edit.error.message}
        </Text>
      )}
    </Group>
  );
}

function Curl({ gateway, log, body }: { gateway: string; log: LogDetail; body: Body | null | undefined }) {
  const url = useGatewayUrl(gateway, 'universal');
  const read = body ? readBytes(body.bytes) : null;
  if (!url.data || body === undefined || (body !== null && (!body.complete || read?.binary))) return null;
  return <CopyText text={asCurl(log, url.data, read?.text ?? null)}>Copy as curl</CopyText>;
}

function Figures({ log }: { log: LogDetail }) {
  const cached = log.cached && log.cost_saved ? `saved ${dollars(log.cost_saved)}` : undefined;
  return (
    <Group gap="lg" align="flex-start">
      <Figure
        label="Cost"
        value={dollars(log.cost_exact)}
        note={
          log.cost === null
            ? `unknown: ${log.cost_reason ?? 'no reason given'}`
            : (cached ?? (log.custom_cost ? 'as the request said' : undefined))
        }
      />
      <Figure label="Tokens in" value={count(log.tokens_in)} note={log.usage_estimated ? 'estimated' : cachedTokens(log)} />
      <Figure label="Tokens out" value={count(log.tokens_out)} note={log.usage_estimated ? 'estimated' : reasoningTokens(log)} />
      <Figure
        label="Duration"
        value={milliseconds(log.duration)}
        note={log.first_byte_ms === null ? undefined : `first byte ${milliseconds(log.first_byte_ms)}`}
      />
    </Group>
  );
}

function cachedTokens(log: LogDetail): string | undefined {
  const cached = log.usage_metadata?.input_cached_tokens;
  return cached ? `${count(cached)} from the provider's cache` : undefined;
}

function reasoningTokens(log: LogDetail): string | undefined {
  const reasoning = log.usage_metadata?.output_reasoning_tokens;
  return reasoning ? `${count(reasoning)} of them reasoning` : undefined;
}

function Figure({ label, value, note }: { label: string; value: string; note?: string }) {
  return (
    <Box maw={240}>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <Text className="figures" fw={600}>
        {value}
      </Text>
      {note && (
        <Text size="xs" c="dimmed">
          {note}
        </Text>
      )}
    </Box>
  );
}

/** A log's conversation, by its id. */
export function LoggedTalk({ gateway, id }: { gateway: string; id: string }) {
  const log = useLog(gateway, id);
  const request = useBody(gateway, id, 'request');
  const response = useBody(gateway, id, 'response');
  if (log.isPending) return <Loading />;
  if (log.isError) return <Failed problem={log.error} retry={() => void log.refetch()} />;
  return <Talk log={log.data} request={request} response={response} />;
}

/** The conversation of a snapshot's item, as it was frozen. */
export function FrozenTalk({ place, id }: { place: Place; id: string }) {
  const log = useFrozenLog(place, id);
  const request = useFrozenBody(place, id, 'request');
  const response = useFrozenBody(place, id, 'response');
  if (log.isPending) return <Loading />;
  if (log.isError) return <Failed problem={log.error} retry={() => void log.refetch()} />;
  if (log.data === null) return <Text size="sm">This item was erased.</Text>;
  return <Talk log={log.data} request={request} response={response} />;
}

function Talk({ log, request, response }: { log: LogDetail; request: BodyQuery; response: BodyQuery }) {
  const turns = useMemo(() => turnsOf(request.data, response.data), [request.data, response.data]);
  if (request.isPending || response.isPending) return <Loading />;
  const failed = request.error ?? response.error;
  if (failed) return <Failed problem={failed} />;
  if (turns.length > 0) return <Conversation turns={turns} />;
  return (
    <Text size="sm" c="dimmed">
      {whyNothing(log, request.data ?? null, response.data ?? null)}
    </Text>
  );
}

function turnsOf(request: Body | null | undefined, response: Body | null | undefined): Turn[] {
  const turns: Turn[] = [];
  for (const [body, read] of [
    [request, (text: string) => readRequest(parsed(text))],
    [response, readAnswer],
  ] as const) {
    if (!body) continue;
    const { text, binary } = readBytes(body.bytes);
    if (!binary) turns.push(...read(text));
  }
  return turns;
}

function whyNothing(log: LogDetail, request: Body | null, response: Body | null): string {
  if (request === null && response === null) {
    return log.bodies_lost
      ? 'The bodies were lost: the log writer was behind.'
      : 'No bodies were kept: the gateway, or the request itself, asked for none.';
  }
  return 'The bodies are not a conversation in a format that is known here. Request and Response show them as they are.';
}

function RawBody({ gateway, log, which, body }: { gateway: string; log: LogDetail; which: 'request' | 'response'; body: BodyQuery }) {
  const { account_id } = useSession();
  const [form, setForm] = useState('pretty');
  if (body.isPending) return <Loading />;
  if (body.isError) return <Failed problem={body.error} retry={() => void body.refetch()} />;
  if (body.data === null)
    return (
      <Text size="sm" c="dimmed">
        No {which} body was kept.
      </Text>
    );
  const { text, binary } = readBytes(body.data.bytes);
  const json = binary ? undefined : parsed(text);
  const pretty = json === undefined ? null : JSON.stringify(json, null, 2);
  const type = which === 'request' ? log.request_content_type : log.response_content_type;
  const size = which === 'request' ? log.request_size : log.response_size;
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text size="xs" c="dimmed" className="cell" maw={360}>
          {type ?? 'no content type'}, {bytes(size)}
          {body.data.complete ? '' : `, the first ${bytes(body.data.bytes.length)} kept`}
        </Text>
        <Group gap="xs">
          {pretty !== null && (
            <SegmentedControl
              aria-label="Form"
              data={[
                { value: 'pretty', label: 'Indented' },
                { value: 'raw', label: 'As it was' },
              ]}
              value={form}
              onChange={setForm}
            />
          )}
          {!binary && <CopyIcon text={text} label={`Copy the ${which} body`} />}
          <ActionIcon
            component="a"
            href={bodyAddress(account_id, gateway, log.id, which)}
            download={`${log.id}-${which}`}
            aria-label={`Download the ${which} body`}
          >
            <IconDownload size={16} />
          </ActionIcon>
        </Group>
      </Group>
      {binary ? (
        <>
          <Text size="sm">Binary data; its beginning:</Text>
          <LoggedText text={hexRows(body.data.bytes)} />
        </>
      ) : (
        <LoggedText text={pretty !== null && form === 'pretty' ? pretty : text} limit={20_000} />
      )}
    </Stack>
  );
}

function Attempts({ log }: { log: LogDetail }) {
  if (log.attempts.length === 0)
    return (
      <Text size="sm" c="dimmed">
        No provider was called.
      </Text>
    );
  return (
    <Table className="rows" aria-label="Attempts">
      <Table.Thead>
        <Table.Tr>
          <Table.Th>#</Table.Th>
          <Table.Th>Step</Table.Th>
          <Table.Th>Provider</Table.Th>
          <Table.Th>Status</Table.Th>
          <Table.Th className="end">Until its answer began</Table.Th>
          <Table.Th>Error</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {log.attempts.map((attempt, index) => (
          <Table.Tr key={index}>
            <Table.Td>{index + 1}</Table.Td>
            <Table.Td>{attempt.step}</Table.Td>
            <Table.Td>{attempt.provider}</Table.Td>
            <Table.Td>{attempt.status_code ?? 'no answer'}</Table.Td>
            <Table.Td className="end figures">{milliseconds(attempt.duration)}</Table.Td>
            <Table.Td>
              <Text size="xs" className="logged prose">
                {attempt.error ?? UNKNOWN}
                {attempt.may_be_billed
                  ? ` Its provider may have charged for it${attempt.counted === null ? '' : `: the spend limits count $${attempt.counted}`}.`
                  : ''}
              </Text>
            </Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

function Details({ gateway, log, onFilter }: { gateway: string; log: LogDetail; onFilter: (filter: Filter) => void }) {
  const mayWrite = useMay('Write');
  const rows: [string, ReactNode, Filter?][] = [
    ['Log id', <Copied key="id" text={log.id} />],
    ['Event id', <Copied key="event" text={log.event_id} />],
    ['Time', fullMoment(log.created_at)],
    ['Provider', log.provider, { key: 'provider', operator: 'eq', value: [log.provider] }],
    ['Model', log.model || UNKNOWN, log.model ? { key: 'model', operator: 'eq', value: [log.model] } : undefined],
    ['Model that answered', log.response_model ?? 'the same'],
    ['Path', `${log.method} ${log.path}`],
    ['Status', log.status_code ?? UNKNOWN],
    ['Step that answered', log.step],
    ['Gateway token', log.authentication ? 'valid' : 'none'],
    ['User agent', log.user_agent ?? UNKNOWN],
    ['Exact cost', log.cost_exact === null ? `unknown: ${log.cost_reason ?? ''}` : `${log.cost_exact} USD`],
    ...Object.entries(log.usage_metadata ?? {}).map(([name, value]): [string, ReactNode] => [name.replaceAll('_', ' '), count(value)]),
  ];
  return (
    <Stack>
      <Table aria-label="Details">
        <Table.Tbody>
          {rows.map(([label, value, filter]) => (
            <Table.Tr key={label}>
              <Table.Th w={170} scope="row">
                {label}
              </Table.Th>
              <Table.Td>
                <Group gap={4} wrap="nowrap">
                  <Text size="sm" component="div" className="logged prose">
                    {value}
                  </Text>
                  {filter && (
                    <Tooltip label="Only logs like this">
                      <ActionIcon size="sm" aria-label={`Filter by this ${label.toLowerCase()}`} onClick={() => onFilter(filter)}>
                        <IconFilterPlus size={14} />
                      </ActionIcon>
                    </Tooltip>
                  )}
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {mayWrite ? <ScoreForm gateway={gateway} log={log} /> : <Text size="sm">Score: {log.score ?? UNKNOWN}</Text>}
      <MetadataForm key={JSON.stringify(log.metadata)} gateway={gateway} log={log} readOnly={!mayWrite} />
    </Stack>
  );
}

function Copied({ text }: { text: string }) {
  return (
    <Group gap={4} wrap="nowrap">
      <span>{text}</span>
      <CopyIcon text={text} label="Copy" />
    </Group>
  );
}

function ScoreForm({ gateway, log }: { gateway: string; log: LogDetail }) {
  const [score, setScore] = useState<number | string>(log.score ?? '');
  const edit = useEditLog(gateway, log.id);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    edit.mutate({ score: score === '' ? null : Number(score) });
  };
  return (
    <form onSubmit={submit}>
      <Group align="flex-end" gap="xs">
        <NumberInput label="Score, 0 to 100" min={0} max={100} w={160} value={score} onChange={setScore} error={edit.error?.message} />
        <Button type="submit" variant="default" loading={edit.isPending} disabled={score === (log.score ?? '')}>
          Save the score
        </Button>
        {edit.isSuccess && (
          <Badge color="gauge" role="status">
            saved
          </Badge>
        )}
      </Group>
    </form>
  );
}
