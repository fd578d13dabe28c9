import { Progress, Table, Text } from '@mantine/core';
import type { SideProgress } from '../api/trials';
import { count, UNKNOWN } from '../parts/format';
import { reasonInWords } from './reasons';

/** How many items of a side have ended, one way or another. */
export function ended({ replayed, failed, skipped }: SideProgress): number {
  return replayed + failed + skipped;
}

export function Reasons({ reasons }: { reasons: Record<string, number> }) {
  const found = Object.entries(reasons);
  if (found.length === 0) return <Text size="sm">{UNKNOWN}</Text>;
  return (
    <Text size="sm" className="figures" style={{ whiteSpace: 'normal' }}>
      {found.map(([reason, times]) => `${count(times)}: ${reasonInWords(reason)}`).join('; ')}
    </Text>
  );
}

/** What became of the items on each side. */
export function SidesTable({ progress, total }: { progress: SideProgress[]; total: number }) {
  const share = (part: number) => (total === 0 ? 0 : (100 * part) / total);
  return (
    <Table.ScrollContainer minWidth={760} type="native" tabIndex={0}>
      <Table className="rows" aria-label="What became of the requests">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Side</Table.Th>
            <Table.Th w={120}>
              <span className="visually-hidden">Drawn</span>
            </Table.Th>
            <Table.Th className="end">Replayed</Table.Th>
            <Table.Th className="end">Skipped</Table.Th>
            <Table.Th className="end">Failed</Table.Th>
            <Table.Th className="end">Still to come</Table.Th>
            <Table.Th>Why not replayed</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {progress.map((side, index) => (
            <Table.Tr key={side.label}>
              <Table.Td>
                <Text size="sm" fw={600} className="cell" title={side.label}>
                  {index === 0 ? 'logged' : side.label}
                </Text>
              </Table.Td>
              <Table.Td>
                <Progress.Root size={6} w={110} role="img" aria-label={`${side.label}: ${count(ended(side))} of ${count(total)} ended`}>
                  <Progress.Section value={share(side.replayed)} color="gauge" aria-hidden />
                  <Progress.Section value={share(side.failed)} color="red" aria-hidden />
                  <Progress.Section value={share(side.skipped)} color="gray" aria-hidden />
                </Progress.Root>
              </Table.Td>
              <Table.Td className="end figures">{count(side.replayed)}</Table.Td>
              <Table.Td className="end figures">{count(side.skipped)}</Table.Td>
              <Table.Td className="end figures">{count(side.failed)}</Table.Td>
              <Table.Td className="end figures">
                {count(side.pending + side.under_way)}
                {side.under_way > 0 && (
                  <Text size="xs" c="dimmed">
                    {count(side.under_way)} under way
                  </Text>
                )}
              </Table.Td>
              <Table.Td>
                <Reasons reasons={side.reasons} />
                {side.maybe_paid_twice > 0 && (
                  <Text size="xs" className="bad">
                    {count(side.maybe_paid_twice)} may have been paid twice: the process died while they were under way
                  </Text>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
