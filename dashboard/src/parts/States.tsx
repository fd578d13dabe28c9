import { Alert, Button, Center, Skeleton, Stack, Text, Title } from '@mantine/core';
import type { ReactNode } from 'react';

/** While a list is on its way: its shape, and words for those who cannot see it. */
export function Loading({ rows = 6 }: { rows?: number }) {
  return (
    <Stack gap={8} p="sm" role="status">
      <span className="visually-hidden">Loading</span>
      {Array.from({ length: rows }, (_, index) => (
        <Skeleton key={index} h={18} />
      ))}
    </Stack>
  );
}

/** What went wrong, in the server's words, and a way to try again. */
export function Failed({ problem, retry }: { problem: Error; retry?: () => void }) {
  return (
    <Alert color="red" variant="light" title="This did not work" role="alert" m="sm">
      <Text size="sm" className="logged prose">
        {problem.message}
      </Text>
      {retry && (
        <Button mt="sm" variant="default" onClick={retry}>
          Try again
        </Button>
      )}
    </Alert>
  );
}

/** Nothing there: why, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Center p="xl">
      <Stack gap="xs" align="center" maw={640}>
        <Title order={2}>{title}</Title>
        <Text component="div" size="sm" c="dimmed" ta="center">
          {children}
        </Text>
      </Stack>
    </Center>
  );
}
