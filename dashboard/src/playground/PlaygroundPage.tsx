import {
  Alert,
  Anchor,
  Autocomplete,
  Button,
  Card,
  Group,
  NumberInput,
  PasswordInput,
  SimpleGrid,
  Stack,
  Text,
  Textarea,
  Title,
} from '@mantine/core';
import { IconPlayerPlay, IconPlayerStop } from '@tabler/icons-react';
import { type FormEvent, useRef, useState } from 'react';
import { Link } from 'wouter';
import { useAnalytics } from '../api/analytics';
import { useCreateToken } from '../api/account';
import { useGateway } from '../api/gateways';
import { Conversation } from '../logs/Conversation';
import { readAnswer } from '../logs/conversation';
import { milliseconds } from '../parts/format';
import { Failed } from '../parts/States';
import { useMay, useSession } from '../session/SessionContext';
import { Page } from '../shell/Page';
import { type Progress, send } from './send';

const TOKEN_HOURS = 1;

interface Outcome extends Progress {
  took: number;
}

/** Any model through the gateway, as a client would ask it. */
export default function PlaygroundPage({ gateway }: { gateway: string }) {
  const { account_id } = useSession();
  const settings = useGateway(gateway);
  const [model, setModel] = useState('');
  const [system, setSystem] = useState('');
  const [text, setText] = useState('');
  const [maxTokens, setMaxTokens] = useState<number | string>('');
  const [temperature, setTemperature] = useState<number | string>('');
  const [providerKey, setProviderKey] = useState('');
  const [gatewayToken, setGatewayToken] = useState('');
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [problem, setProblem] = useState<Error | null>(null);
  const running = useRef<AbortController | null>(null);
  const [busy, setBusy] = useState(false);
  const ask = async () => {
    const started = performance.now();
    const took = () => performance.now() - started;
    running.current = new AbortController();
    setOutcome(null);
    setProblem(null);
    setBusy(true);
    try {
      const asked = {
        account: account_id,
        gateway,
        model: model.trim(),
        system,
        text,
        maxTokens: numberOf(maxTokens),
        temperature: numberOf(temperature),
        providerKey,
        gatewayToken,
      };
      const whole = await send(asked, running.current.signal, (progress) => setOutcome({ ...progress, took: took() }));
      setOutcome({ ...whole, took: took() });
    } catch {
      const stopped = running.current.signal.aborted;
      setProblem(new Error(stopped ? 'You stopped it. What came until then is in the log.' : 'The answer broke off. The log says why.'));
    } finally {
      setBusy(false);
    }
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void ask();
  };
  return (
    <Page title="Playground">
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Card>
          <form onSubmit={submit}>
            <Stack gap="sm">
              <Model gateway={gateway} value={model} onChange={setModel} />
              <PasswordInput
                label="The provider's key"
                description="Sent with this request only; it is neither kept nor logged. Empty where the provider needs none."
                autoComplete="off"
                value={providerKey}
                onChange={(event) => setProviderKey(event.currentTarget.value)}
              />
              {settings.data?.authentication && <GatewayToken value={gatewayToken} onChange={setGatewayToken} />}
              <Textarea
                label="System prompt"
                autosize
                minRows={2}
                maxRows={8}
                value={system}
                onChange={(event) => setSystem(event.currentTarget.value)}
              />
              <Textarea
                label="Message"
                required
                autosize
                minRows={4}
                maxRows={16}
                value={text}
                onChange={(event) => setText(event.currentTarget.value)}
              />
              <Group grow>
                <NumberInput label="Tokens out at most" min={1} allowDecimal={false} value={maxTokens} onChange={setMaxTokens} />
                <NumberInput label="Temperature" min={0} max={2} step={0.1} value={temperature} onChange={setTemperature} />
              </Group>
              <Group>
                <Button type="submit" leftSection={<IconPlayerPlay size={14} />} disabled={busy || !model || !text}>
                  Send
                </Button>
                {busy && (
                  <Button variant="default" leftSection={<IconPlayerStop size={14} />} onClick={() => running.current?.abort()}>
                    Stop
                  </Button>
                )}
              </Group>
            </Stack>
          </form>
        </Card>
        <Card>
          <Title order={2} mb="xs">
            Answer
          </Title>
          <Answer gateway={gateway} outcome={outcome} busy={busy} />
          {problem && <Failed problem={problem} />}
        </Card>
      </SimpleGrid>
    </Page>
  );
}

function numberOf(value: number | string): number | null {
  return value === '' ? null : Number(value);
}

/** The model by its provider; those that the gateway has seen are offered. */
function Model({ gateway, value, onChange }: { gateway: string; value: string; onChange: (model: string) => void }) {
  const seen = useAnalytics(gateway, 720, 'provider', 20, false);
  const providers = (seen.data?.series ?? []).map((one) => one.group).filter((one): one is string => typeof one === 'string' && one !== '');
  return (
    <Autocomplete
      label="Model"
      description="{provider}/{model}, such as openai/gpt-5-mini or anthropic/claude-sonnet-4-5; dynamic/{name} for a dynamic route."
      required
      data={providers.map((provider) => `${provider}/`)}
      value={value}
      onChange={onChange}
    />
  );
}

function GatewayToken({ value, onChange }: { value: string; onChange: (token: string) => void }) {
  const create = useCreateToken();
  const may = [useMay('Write'), useMay('Run')].every(Boolean);
  const make = () => {
    const expires_on = new Date(Date.now() + TOKEN_HOURS * 3_600_000).toISOString();
    create.mutate({ name: 'Playground', permissions: ['AI Gateway Run'], expires_on }, { onSuccess: (made) => onChange(made.value) });
  };
  return (
    <div>
      <Group align="flex-end" gap="xs">
        <PasswordInput
          flex={1}
          label="A gateway token"
          description="This gateway asks for one that may Run. It stays on this page."
          required
          autoComplete="off"
          value={value}
          onChange={(event) => onChange(event.currentTarget.value)}
        />
        {may && (
          <Button variant="default" onClick={make} loading={create.isPending}>
            Make one for an hour
          </Button>
        )}
      </Group>
      {create.isError && <Failed problem={create.error} />}
    </div>
  );
}

function Answer({ gateway, outcome, busy }: { gateway: string; outcome: Outcome | null; busy: boolean }) {
  if (outcome === null)
    return (
      <Text size="sm" c="dimmed" role="status">
        {busy ? 'Waiting for the first words …' : 'It appears here as it is written, and becomes a log like any other.'}
      </Text>
    );
  const turns = readAnswer(outcome.body);
  return (
    <Stack gap="xs">
      {outcome.status >= 400 && (
        <Alert color="red" variant="light">
          The answer has status {outcome.status}.
        </Alert>
      )}
      {turns.length > 0 ? <Conversation turns={turns} /> : <pre className="logged">{outcome.body.slice(0, 4_000)}</pre>}
      <Group gap="md" role="status">
        <Text size="xs" c="dimmed" className="figures">
          {busy ? 'so far' : 'took'} {milliseconds(outcome.took)}
        </Text>
        {outcome.logId && (
          <Anchor component={Link} size="xs" href={`/gateways/${encodeURIComponent(gateway)}/logs?log=${outcome.logId}`}>
            Its log, with tokens and cost
          </Anchor>
        )}
      </Group>
    </Stack>
  );
}
