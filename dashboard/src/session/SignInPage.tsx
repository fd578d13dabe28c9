import { Button, Card, Center, Code, PasswordInput, Stack, Text, Title } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useSignIn } from '../api/session';
import { ApiError } from '../api/client';
import { Mark } from '../parts/Mark';

export function SignInPage() {
  const [token, setToken] = useState('');
  const signIn = useSignIn();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    signIn.mutate(token.trim());
  };
  return (
    <Center component="main" mih="100vh" p="md">
      <Card w="100%" maw={420} padding="xl">
        <form onSubmit={submit}>
          <Stack>
            <Mark />
            <Title order={1}>Sign in</Title>
            <PasswordInput
              label="API token"
              description="gaugeway serve printed the first one when it first started."
              size="sm"
              required
              autoFocus
              autoComplete="current-password"
              value={token}
              onChange={(event) => setToken(event.currentTarget.value)}
              error={signIn.isError ? refusal(signIn.error) : undefined}
            />
            <Button type="submit" size="sm" loading={signIn.isPending}>
              Sign in
            </Button>
            <Text size="xs" c="dimmed">
              Lost it? <Code>gaugeway token create NAME</Code> on the server makes another. The browser keeps a session of 12 hours, not the
              token.
            </Text>
          </Stack>
        </form>
      </Card>
    </Center>
  );
}

function refusal(problem: Error): string {
  if (problem instanceof ApiError && problem.status === 401) return 'This token is not valid here, or has expired.';
  return problem.message;
}
