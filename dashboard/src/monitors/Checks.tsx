import { Table, Text } from '@mantine/core';
import type { Check, Window } from '../api/monitors';
import { inUnit } from '../evaluations/figures';
import { Interval } from '../evaluations/Interval';
import { count, fullMoment } from '../parts/format';
import { told } from './findings';
import { FindingBadge, useTypes } from './MonitorParts';
import { pValue } from './schedule';

/** What a window says of each question: its figure, what that is compared with, and how sure the difference is. */
export function Checks({ window, all }: { window: Window; all: Window[] }) {
  return (
    <Table
      aria-label={`What the window until ${fullMoment(window.until)} says`}
      withRowBorders={false}
      bg="var(--mantine-color-default-hover)"
    >
      <Table.Thead>
        <Table.Tr>
          <Table.Th pl={52}>Question</Table.Th>
          <Table.Th>What it says</Table.Th>
          <Table.Th>Figure</Table.Th>
          <Table.Th>Compared with</Table.Th>
          <Table.Th w={270}>Difference, and how sure</Table.Th>
          <Table.Th>By chance alone</Table.Th>
        </Table.Tr>
      </Table.Thead>
      <Table.Tbody>
        {window.checks.map((check) => (
          <Table.Tr key={check.evaluation_type_id}>
            <Cells check={check} window={window} axis={axisOf(all, check.evaluation_type_id)} />
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}

/** One axis for the differences of a type, with 0 in its middle. */
function axisOf(windows: Window[], type: string): [number, number] {
  const ends = windows.flatMap(({ checks }) =>
    checks.filter((one) => one.evaluation_type_id === type).flatMap(({ low, high, difference }) => [low, high, difference]),
  );
  const most = Math.max(0, ...ends.filter((one) => one !== null).map(Math.abs));
  return most === 0 ? [-1, 1] : [-most, most];
}

function Cells({ check, window, axis }: { check: Check; window: Window; axis: [number, number] }) {
  const { nameOf, directionOf } = useTypes();
  const found = told(check, directionOf(check.evaluation_type_id));
  const shown = (figure: number | null) => inUnit(figure === null ? null : String(figure), check.unit);
  return (
    <>
      <Table.Th scope="row" pl={52} fw={400}>
        {nameOf(check.evaluation_type_id)}
      </Table.Th>
      <Table.Td>
        <FindingBadge found={found} />
        <Text size="xs" c="dimmed" maw={220} mt={2}>
          {found.means}
        </Text>
        {check.raised && (
          <Text size="xs" fw={600}>
            new: it was told
          </Text>
        )}
      </Table.Td>
      <Table.Td className="figures">
        <Text size="sm" fw={600}>
          {shown(check.figure)}
        </Text>
        <Text size="xs" c="dimmed">
          n = {count(check.logs)}
        </Text>
      </Table.Td>
      {check.difference === null ? (
        <Table.Td colSpan={3}>
          <Text size="xs" c="dimmed">
            {check.words}
          </Text>
        </Table.Td>
      ) : (
        <>
          <Table.Td className="figures">
            <Text size="sm">{shown(check.reference_figure)}</Text>
            <Text size="xs" c="dimmed">
              n = {count(check.reference_logs)}
            </Text>
          </Table.Td>
          <Table.Td>
            <Interval
              axis={axis}
              mark={0}
              result={{
                result: String(check.difference),
                low: check.low === null ? null : String(check.low),
                high: check.high === null ? null : String(check.high),
                unit: check.unit,
                interval_level: 0.95,
                interval_note: null,
              }}
            />
          </Table.Td>
          <Table.Td className="figures">
            <Text size="sm">{check.adjusted_p === null ? 'not known' : `p = ${pValue(check.adjusted_p)}`}</Text>
            {window.alpha !== null && (
              <Text size="xs" c="dimmed">
                up to {pValue(window.alpha)} counts
              </Text>
            )}
          </Table.Td>
        </>
      )}
    </>
  );
}
