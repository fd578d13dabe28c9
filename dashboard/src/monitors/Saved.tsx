import { Alert, Button, Card, Group, Stack, Text } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Monitor } from '../api/monitors';
import { Snippet } from '../parts/Copy';
import { Empty } from '../parts/States';

export const NOT_ALLOWED = <Empty title="This token may not set up monitors">That needs a token that may Write.</Empty>;

/** The form, and then the monitor; before that the secret, where one was made or given: it is shown this once. */
export function Saved({ gateway, children }: { gateway: string; children: (onSaved: (monitor: Monitor) => void) => ReactNode }) {
  const [, go] = useLocation();
  const [made, setMade] = useState<Monitor | null>(null);
  const at = (id: string) => `/gateways/${encodeURIComponent(gateway)}/monitors/${id}`;
  const secret = made?.webhook?.secret;
  if (made && secret) {
    return (
      <Card component="section" aria-label="The webhook’s secret">
        <Stack>
          <Alert color="yellow" variant="light" title="The webhook’s secret">
            This is the only time it is shown: it is kept sealed. Whoever receives the notices checks their signature with it.
          </Alert>
          <Snippet text={secret} label="the secret" />
          <Text size="sm">Notices are signed as Standard Webhooks say, so that its libraries verify them, with this secret.</Text>
          <Group>
            <Button component={Link} href={at(made.id)}>
              To the monitor
            </Button>
          </Group>
        </Stack>
      </Card>
    );
  }
  return children((monitor) => (monitor.webhook?.secret ? setMade(monitor) : go(at(monitor.id))));
}
