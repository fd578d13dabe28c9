import { Badge, Group, Text, Tooltip } from '@mantine/core';
import { IconThumbDown, IconThumbUp } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Order } from '../api/logs';
import type { Log } from '../api/types';
import { count, dollars, fullMoment, milliseconds, moment, UNKNOWN } from '../parts/format';

export interface Column {
  id: string;
  label: string;
  end?: boolean; // figures stand at the end of their column
  order?: Order;
  show: (log: Log) => ReactNode;
  usual?: boolean;
}

export const COLUMNS: Column[] = [
  {
    id: 'created_at',
    label: 'Time',
    order: 'created_at',
    usual: true,
    show: (log) => (
      <span className="figures" title={fullMoment(log.created_at)}>
        {moment(log.created_at)}
      </span>
    ),
  },
  { id: 'outcome', label: 'Outcome', order: 'success', usual: true, show: (log) => <OutcomeBadge log={log} /> },
  { id: 'provider', label: 'Provider', order: 'provider', usual: true, show: (log) => <Cell text={log.provider} /> },
  { id: 'model', label: 'Model', order: 'model', usual: true, show: (log) => <Cell text={log.model || UNKNOWN} /> },
  {
    id: 'tokens_in',
    label: 'In',
    end: true,
    order: 'tokens_in',
    usual: true,
    show: (log) => <Tokens value={log.tokens_in} estimated={log.usage_estimated} />,
  },
  {
    id: 'tokens_out',
    label: 'Out',
    end: true,
    order: 'tokens_out',
    usual: true,
    show: (log) => <Tokens value={log.tokens_out} estimated={log.usage_estimated} />,
  },
  { id: 'cost', label: 'Cost', end: true, order: 'cost', usual: true, show: (log) => <Cost log={log} /> },
  {
    id: 'duration',
    label: 'Duration',
    end: true,
    order: 'duration',
    usual: true,
    show: (log) => <span className="figures">{milliseconds(log.duration)}</span>,
  },
  {
    id: 'first_byte_ms',
    label: 'First byte',
    end: true,
    show: (log) => <span className="figures">{milliseconds(log.first_byte_ms)}</span>,
  },
  { id: 'feedback', label: 'Feedback', order: 'feedback', usual: true, show: (log) => <Thumb feedback={log.feedback} /> },
  { id: 'score', label: 'Score', end: true, show: (log) => <span className="figures">{log.score ?? UNKNOWN}</span> },
  {
    id: 'metadata',
    label: 'Metadata',
    show: (log) => (
      <Cell
        text={
          log.metadata
            ? Object.entries(log.metadata)
                .map(([key, value]) => `${key}=${value}`)
                .join(' ')
            : UNKNOWN
        }
      />
    ),
  },
  { id: 'status_code', label: 'Status', end: true, show: (log) => <span className="figures">{log.status_code ?? UNKNOWN}</span> },
  { id: 'path', label: 'Path', show: (log) => <Cell text={log.path || UNKNOWN} /> },
  { id: 'event_id', label: 'Event id', show: (log) => <Cell text={log.event_id} /> },
  { id: 'id', label: 'Log id', show: (log) => <Cell text={log.id} /> },
];

function Cell({ text }: { text: string }) {
  return (
    <span className="cell" title={text}>
      {text}
    </span>
  );
}

function Tokens({ value, estimated }: { value: number | null; estimated: boolean }) {
  return (
    <span className="figures" title={estimated ? 'estimated: the provider did not report it' : undefined}>
      {estimated && value !== null ? '~' : ''}
      {count(value)}
    </span>
  );
}

export function Cost({ log }: { log: Log }) {
  if (log.cost !== null) return <span className="figures">{dollars(log.cost_exact)}</span>;
  const why = log.cost_reason ?? 'not known';
  return (
    <Tooltip label={why} multiline maw={320}>
      <Text span size="xs" c="dimmed" tabIndex={0} aria-label={`unknown: ${why}`}>
        unknown
      </Text>
    </Tooltip>
  );
}

const COLOURS: Record<string, string> = { success: 'gauge', cached: 'blue', client_gone: 'gray' };

export function OutcomeBadge({ log }: { log: Log }) {
  return (
    <Badge color={COLOURS[log.outcome] ?? 'red'} title={log.error ?? undefined} miw="max-content">
      {log.outcome.replaceAll('_', ' ')}
      {!log.success && log.status_code !== null ? ` ${log.status_code}` : ''}
    </Badge>
  );
}

function Thumb({ feedback }: { feedback: number | null }) {
  if (feedback === null)
    return (
      <Text span c="dimmed" aria-label="none">
        {UNKNOWN}
      </Text>
    );
  const up = feedback > 0;
  return (
    <Group gap={0} wrap="nowrap" role="img" aria-label={up ? 'thumbs up' : 'thumbs down'} c={up ? 'gauge' : 'red'}>
      {up ? <IconThumbUp size={15} /> : <IconThumbDown size={15} />}
    </Group>
  );
}
