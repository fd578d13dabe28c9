import { Alert, Button, Card, Group, NumberInput, Select, SimpleGrid, Stack, Switch, Text, Title } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { ApiError } from '../api/client';
import { type GatewaySettings, useChangeGateway } from '../api/gateways';
import type { Gateway } from '../api/types';
import { Failed } from '../parts/States';

type Draft = Pick<
  GatewaySettings,
  | 'authentication'
  | 'collect_logs'
  | 'log_management'
  | 'log_management_strategy'
  | 'cache_ttl'
  | 'cache_invalidate_on_update'
  | 'rate_limiting_limit'
  | 'rate_limiting_interval'
  | 'rate_limiting_technique'
  | 'retry_max_attempts'
  | 'retry_delay'
  | 'retry_backoff'
>;
const FIELDS: (keyof Draft)[] = [
  'authentication',
  'collect_logs',
  'log_management',
  'log_management_strategy',
  'cache_ttl',
  'cache_invalidate_on_update',
  'rate_limiting_limit',
  'rate_limiting_interval',
  'rate_limiting_technique',
  'retry_max_attempts',
  'retry_delay',
  'retry_backoff',
];

/** `saved`: what this form last sent is in force. */
export interface FormProps {
  gateway: Gateway;
  names: string[];
  readOnly: boolean;
  saved: boolean;
  onSaved: () => void;
}

/** The settings that are one value each, with what they do. */
export function SettingsForm({ gateway, names, readOnly, saved, onSaved }: FormProps) {
  const before = Object.fromEntries(FIELDS.map((name) => [name, gateway[name]])) as Draft;
  const [draft, setDraft] = useState(before);
  const change = useChangeGateway(gateway.id, names, onSaved);
  const set = <Name extends keyof Draft>(name: Name, value: Draft[Name]) => setDraft({ ...draft, [name]: value });
  const changes = Object.fromEntries(FIELDS.filter((name) => draft[name] !== before[name]).map((name) => [name, draft[name]]));
  const refused = (name: keyof Draft) => (change.error instanceof ApiError ? change.error.about(name) : undefined);
  const number = (
    name: 'log_management' | 'cache_ttl' | 'rate_limiting_limit' | 'rate_limiting_interval' | 'retry_max_attempts' | 'retry_delay',
    off: number | null,
  ) => ({
    value: draft[name] ?? '',
    onChange: (value: string | number) => set(name, value === '' ? off : Number(value)),
    allowDecimal: false,
    min: 0,
    error: refused(name),
    disabled: readOnly,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(changes);
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Section title="Access">
          <Switch
            label="Requests need a gateway token"
            description="In cf-aig-authorization, with the permission Run. Off: whoever reaches this server may use the gateway with a provider key of their own."
            checked={draft.authentication ?? false}
            disabled={readOnly}
            onChange={(event) => set('authentication', event.currentTarget.checked)}
          />
        </Section>
        <Section title="Logs">
          <Switch
            label="Keep logs"
            description="Off: requests leave no log, unless they ask for one with cf-aig-collect-log."
            checked={draft.collect_logs}
            disabled={readOnly}
            onChange={(event) => set('collect_logs', event.currentTarget.checked)}
          />
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            <NumberInput
              label="Logs kept at most"
              description="10,000 to 10,000,000; empty: no limit"
              thousandSeparator=","
              {...number('log_management', null)}
            />
            <Select
              label="When it is full"
              description="What happens to the next log"
              data={[
                { value: 'DELETE_OLDEST', label: 'the oldest is deleted' },
                { value: 'STOP_INSERTING', label: 'it is not kept' },
              ]}
              value={draft.log_management_strategy ?? 'DELETE_OLDEST'}
              disabled={readOnly}
              onChange={(value) => set('log_management_strategy', value as Draft['log_management_strategy'])}
            />
          </SimpleGrid>
        </Section>
        <Section title="Cache">
          <NumberInput
            label="Answers are kept for"
            description="Seconds, from 60; 0: no cache. Identical requests with the same credentials then get the same answer."
            maw={400}
            {...number('cache_ttl', 0)}
          />
          <Switch
            label="Empty the cache when settings change"
            checked={draft.cache_invalidate_on_update}
            disabled={readOnly}
            onChange={(event) => set('cache_invalidate_on_update', event.currentTarget.checked)}
          />
        </Section>
        <Section title="Rate limit">
          <SimpleGrid cols={{ base: 1, sm: 3 }}>
            <NumberInput label="Requests" description="0: no limit" {...number('rate_limiting_limit', 0)} />
            <NumberInput label="in how many seconds" description="The interval" {...number('rate_limiting_interval', 0)} />
            <Select
              label="Technique"
              description="How intervals lie"
              data={[
                { value: 'fixed', label: 'fixed windows' },
                { value: 'sliding', label: 'any span of that length' },
              ]}
              value={draft.rate_limiting_technique ?? 'fixed'}
              disabled={readOnly}
              onChange={(value) => set('rate_limiting_technique', value as Draft['rate_limiting_technique'])}
            />
          </SimpleGrid>
        </Section>
        <Section title="Retries" note="After no connection, no first byte in time, 408, 409, 429 and 5xx; never once an answer has begun.">
          <SimpleGrid cols={{ base: 1, sm: 3 }}>
            <NumberInput label="Attempts in all" description="1 to 5; empty: one" {...number('retry_max_attempts', null)} />
            <NumberInput label="Delay, ms" description="0 to 60,000; empty: 500" {...number('retry_delay', null)} />
            <Select
              label="Backoff"
              description="How the delay grows"
              clearable
              data={['constant', 'linear', 'exponential']}
              value={draft.retry_backoff ?? null}
              error={refused('retry_backoff')}
              disabled={readOnly}
              onChange={(value) => set('retry_backoff', value as Draft['retry_backoff'])}
            />
          </SimpleGrid>
        </Section>
        {change.isError && <Failed problem={change.error} />}
        {saved && Object.keys(changes).length === 0 && <SavedNote />}
        {!readOnly && (
          <Group>
            <Button type="submit" loading={change.isPending} disabled={Object.keys(changes).length === 0}>
              Save the settings
            </Button>
            <Button variant="default" disabled={Object.keys(changes).length === 0} onClick={() => setDraft(before)}>
              Undo
            </Button>
          </Group>
        )}
      </Stack>
    </form>
  );
}

function Section({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  return (
    <Card>
      <Title order={2} mb="xs">
        {title}
      </Title>
      {note && (
        <Text size="xs" c="dimmed" mb="xs">
          {note}
        </Text>
      )}
      <Stack gap="sm">{children}</Stack>
    </Card>
  );
}

export function SavedNote() {
  return (
    <Alert color="gauge" variant="light" role="status">
      Saved. It holds in every process at once.
    </Alert>
  );
}
