import { Text } from '@mantine/core';
import type { ReactNode } from 'react';
import { useEvaluationTypes } from '../api/evaluations';
import type { TrialComparison } from '../api/trials';
import { Question } from '../evaluations/Question';

const NAMES: Record<string, { title: string; description: string }> = {
  cost: { title: 'Cost', description: 'Dollars for a request, of good answers.' },
  speed: { title: 'Latency', description: 'Milliseconds for a request, of good answers.' },
  error_rate: { title: 'Errors', description: 'The share of requests that failed by the model or its provider.' },
};

interface Props {
  comparison: TrialComparison;
  /** Requests that a figure could have been computed from. */
  total: number;
  /** What is to be known of the logged durations. */
  speed: string;
  /** What else is to be known of the verdicts. */
  children?: ReactNode;
}

/** Each figure of each side on one axis, with the verdict in words. */
export function Results({ comparison, total, speed, children }: Props) {
  const types = useEvaluationTypes();
  const asked = [...new Set(comparison.sides.flatMap((side) => side.results.map((one) => one.evaluation_type_id)))];
  const order = Object.keys(NAMES);
  const rank = (id: string) => (order.includes(id) ? order.indexOf(id) : order.length);
  return (
    <>
      <Text size="sm" c="dimmed">
        Each candidate against what was logged, request by request. Verdicts are at 95 %, and take into account how many comparisons are
        made.{children}
      </Text>
      {asked
        .sort((one, other) => rank(one) - rank(other))
        .map((id) => {
          const known = NAMES[id];
          const type = types.data?.find((one) => one.id === id);
          const sides = comparison.sides.map((side) => ({
            key: side.label,
            name: (
              <Text size="sm" className="cell" title={side.label}>
                {side.label}
              </Text>
            ),
            metric: side.results.find((one) => one.evaluation_type_id === id),
            without: (
              <Text size="sm" c="dimmed">
                no figure
              </Text>
            ),
            total,
          }));
          return (
            <Question
              key={id}
              title={known?.title ?? type?.name ?? id}
              description={known ? `${known.description}${id === 'speed' ? ` ${speed}` : ''}` : type?.description}
              sideTitle="Side"
              sides={sides}
              differences={comparison.differences.filter((one) => one.evaluation_type_id === id)}
            />
          );
        })}
    </>
  );
}
