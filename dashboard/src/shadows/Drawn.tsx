import { Progress, Table, Text } from '@mantine/core';
import type { Shadow } from '../api/shadows';
import { count, percent } from '../parts/format';
import { reasonInWords } from '../trials/reasons';

interface Row {
  name: string;
  requests: number;
  colour: string;
  why: string;
  reasons?: Record<string, number>;
}

/** What became of the drawn requests: they add up. */
function rowsOf({ called, skipped, missed, waiting, processed }: Shadow): Row[] {
  return [
    { name: 'Called', requests: called, colour: 'gauge', why: 'sent to the candidates; the table below says what came of it' },
    { name: 'Skipped', requests: skipped.total, colour: 'gray', why: 'cannot or must not be sent', reasons: skipped.reasons },
    { name: 'Missed', requests: missed.total, colour: 'red', why: 'could have been sent, and were not', reasons: missed.reasons },
    ...(processed ? [] : [{ name: 'Waiting', requests: waiting, colour: 'blue', why: 'for their turn' }]),
  ];
}

/** Every drawn request, with the reasons of those that were not sent. */
export function Drawn({ shadow }: { shadow: Shadow }) {
  const rows = rowsOf(shadow);
  const share = (requests: number) => (shadow.sampled === 0 ? 0 : (100 * requests) / shadow.sampled);
  return (
    <Table.ScrollContainer minWidth={640} type="native" tabIndex={0} mt={6}>
      <Table className="rows" aria-label="What became of the drawn requests">
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={100}>Drawn, and</Table.Th>
            <Table.Th w={120}>
              <span className="visually-hidden">As a bar</span>
            </Table.Th>
            <Table.Th w={90} className="end">
              Requests
            </Table.Th>
            <Table.Th w={100} className="end">
              Of the drawn
            </Table.Th>
            <Table.Th>Why</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {rows.map(({ name, requests, colour, why, reasons }) => (
            <Table.Tr key={name}>
              <Table.Th scope="row">{name}</Table.Th>
              <Table.Td>
                <Progress.Root size={6} w={110} aria-hidden>
                  <Progress.Section value={share(requests)} color={colour} aria-hidden />
                </Progress.Root>
              </Table.Td>
              <Table.Td className="end figures">{count(requests)}</Table.Td>
              <Table.Td className="end figures">{shadow.sampled === 0 ? '–' : percent(share(requests))}</Table.Td>
              <Table.Td>
                <Text size="sm" style={{ whiteSpace: 'normal' }}>
                  {reasons && Object.keys(reasons).length > 0 ? (
                    Object.entries(reasons)
                      .map(([reason, times]) => `${count(times)}: ${reasonInWords(reason)}`)
                      .join('; ')
                  ) : (
                    <Text span c="dimmed" size="sm">
                      {why}
                    </Text>
                  )}
                </Text>
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
