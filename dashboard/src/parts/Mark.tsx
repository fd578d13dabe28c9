import { Group, Text } from '@mantine/core';

export function Mark() {
  return (
    <Group gap={8} wrap="nowrap">
      <img src="/favicon.svg" alt="" width={22} height={22} />
      <Text fw={700}>Gaugeway</Text>
    </Group>
  );
}
