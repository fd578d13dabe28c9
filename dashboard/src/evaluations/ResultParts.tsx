import { Badge, Group, Progress, Text, Tooltip } from '@mantine/core';
import type { Evaluation, Metric, Result } from '../api/types';
import { count } from '../parts/format';
import { isFinal, STATUS_COLOURS, STATUSES } from './figures';

export function StatusBadge({ result }: { result: Result }) {
  return (
    <Badge color={STATUS_COLOURS[result.status] ?? 'gray'} title={result.status_description}>
      {STATUSES[result.status] ?? `status ${result.status}`}
    </Badge>
  );
}

/** How far an evaluation is, over all its results. */
export function StateBadge({ evaluation }: { evaluation: Evaluation }) {
  const { results } = evaluation;
  const done = results.filter(isFinal).length;
  if (!evaluation.processed)
    return <Badge color="blue">{results.some((one) => one.status > 0) ? `running, ${done} of ${results.length}` : 'queued'}</Badge>;
  if (results.some((one) => one.status === 4)) return <Badge color="red">failed in part</Badge>;
  if (results.every((one) => one.status === 3)) return <Badge color="yellow">no usable logs</Badge>;
  return <Badge color="gauge">completed</Badge>;
}

/** What a figure was computed from: logs used, left out, and failed. */
export function Basis({ result, total }: { result: Metric; total: number }) {
  const all = Math.max(total, result.total_logs + result.skipped + result.failed);
  const words = `${count(result.total_logs)} used, ${count(result.skipped)} left out, ${count(result.failed)} failed`;
  const share = (part: number) => (all === 0 ? 0 : (100 * part) / all);
  return (
    <Tooltip label={words}>
      <div tabIndex={0} role="img" aria-label={words}>
        <Group gap={8} wrap="nowrap">
          <Text size="sm" className="figures">
            n = {count(result.total_logs)}
          </Text>
          {result.skipped > 0 && (
            <Text size="xs" c="dimmed" className="figures">
              {count(result.skipped)} left out
            </Text>
          )}
          {result.failed > 0 && (
            <Text size="xs" className="figures bad">
              {count(result.failed)} failed
            </Text>
          )}
        </Group>
        <Progress.Root size={4} mt={2} w={160}>
          <Progress.Section value={share(result.total_logs)} color="gauge" aria-hidden />
          <Progress.Section value={share(result.failed)} color="red" aria-hidden />
        </Progress.Root>
      </div>
    </Tooltip>
  );
}
