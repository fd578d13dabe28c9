import { Group, type MantineSpacing, Progress, Text } from '@mantine/core';
import { dollars } from '../parts/format';

interface Props {
  /** Dollars: what calls cost, what is held for those under way, and for those whose process died. */
  spent: string;
  reserved: string;
  unsettled: string;
  cap: string;
  /** Of which span the cap is: " today"; "" where it is for all. */
  span?: string;
  px?: MantineSpacing;
}

/** What counts against a cap, and how much of it is left. */
export function Spent({ spent, reserved, unsettled, cap, span = '', px = 'sm' }: Props) {
  const share = (100 * (Number(spent) + Number(reserved) + Number(unsettled))) / Number(cap);
  return (
    <Group px={px} pt={6} gap="4px 12px">
      <Progress
        value={Math.min(100, share)}
        w={160}
        size="sm"
        color={share > 95 ? 'red' : 'gauge'}
        aria-label={`${dollars(spent)} of ${dollars(cap)} spent${span}`}
      />
      <Text size="sm" className="figures" title={spent} style={{ whiteSpace: 'normal' }}>
        {dollars(spent)} of {dollars(cap)} spent{span}
        {Number(reserved) > 0 && `, ${dollars(reserved)} held for calls under way`}
        {Number(unsettled) > 0 && `, ${dollars(unsettled)} held for calls of which nobody knows what they cost`}
      </Text>
    </Group>
  );
}
