import { Box, Group, Title } from '@mantine/core';
import { type ReactNode, useEffect } from 'react';

/** A page: its title (also the window's), what can be done on it, and its content. */
export function Page({ title, actions, children }: { title: string; actions?: ReactNode; children: ReactNode }) {
  useEffect(() => {
    document.title = `${title} · Gaugeway`;
  }, [title]);
  return (
    <Box p="md">
      <Group justify="space-between" mb="sm" mih={30}>
        <Title order={1}>{title}</Title>
        {actions && <Group gap="xs">{actions}</Group>}
      </Group>
      {children}
    </Box>
  );
}
