import { Card, Group, Loader, Stack, Text, Title } from '@mantine/core';
import { Connect } from '../gateways/Connect';

/** The first run: how to send the first request, and that it is being waited for. */
export function NoLogsYet({ gateway }: { gateway: string }) {
  return (
    <Card maw={760}>
      <Stack>
        <Title order={2}>Point a client at this gateway</Title>
        <Text size="sm">
          Only the base URL changes; your provider's key travels on as before. Every request then becomes a log here, with what it cost and
          how long it took. From logs you make datasets, and evaluate them.
        </Text>
        <Connect gateway={gateway} />
        <Group gap="xs" role="status">
          <Loader size="xs" type="dots" />
          <Text size="sm" c="dimmed">
            Waiting for the first request. It shows up here by itself.
          </Text>
        </Group>
      </Stack>
    </Card>
  );
}
