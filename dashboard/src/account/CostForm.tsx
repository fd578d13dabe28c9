import {
  Button,
  Collapse,
  Group,
  Modal,
  NumberInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  TextInput,
} from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useProviders } from '../api/account';
import { ApiError } from '../api/client';
import { type CostRule, type ModelRule, type NewRule, useSaveRule } from '../api/costs';
import { useGateways } from '../api/gateways';
import { Failed } from '../parts/States';
import { KINDS, readPrices, writePrices } from './prices';

/** A cost rule, new or changed. */
export function CostForm({ rule, onClose }: { rule?: CostRule; onClose: () => void }) {
  const providers = useProviders();
  const gateways = useGateways();
  const [isCustom, setCustom] = useState(rule === undefined || rule.provider === null);
  const [draft, setDraft] = useState({
    account_provider_id: rule?.account_provider_id ?? null,
    provider: rule?.provider ?? '',
    gateway_id: rule?.gateway_id ?? null,
    model: rule?.model ?? '',
    model_rule: rule?.model_rule ?? ('equals' as ModelRule),
    weight: rule?.weight ?? 0,
    enable: rule?.enable ?? true,
    valid_from: rule?.valid_from ?? '',
    valid_until: rule?.valid_until ?? '',
  });
  const before = readPrices(rule?.token_pricing ?? '{}');
  const [prices, setPrices] = useState(before);
  const save = useSaveRule(rule?.id);
  const set = (change: Partial<typeof draft>) => setDraft({ ...draft, ...change });
  const refused = (...field: string[]) => (save.error instanceof ApiError ? save.error.about(...field) : undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body: NewRule = {
      ...draft,
      account_provider_id: isCustom ? draft.account_provider_id : null,
      provider: isCustom ? null : draft.provider,
      valid_from: draft.valid_from || null,
      valid_until: draft.valid_until || null,
      token_pricing: writePrices(prices),
    };
    save.mutate(body, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title={rule ? 'Change the cost rule' : 'New cost rule'} size="lg">
      <form onSubmit={submit}>
        <Stack gap="sm">
          <SegmentedControl
            aria-label="Whose models"
            data={[
              { value: 'custom', label: 'A custom provider' },
              { value: 'built-in', label: 'A built-in provider' },
            ]}
            value={isCustom ? 'custom' : 'built-in'}
            onChange={(value) => setCustom(value === 'custom')}
          />
          <SimpleGrid cols={{ base: 1, sm: 2 }}>
            {isCustom ? (
              <Select
                label="Custom provider"
                required
                data={(providers.data?.items ?? []).map((one) => ({ value: one.id, label: `${one.name} (custom-${one.slug})` }))}
                nothingFoundMessage="There is none yet"
                placeholder="choose one"
                value={draft.account_provider_id}
                error={refused('account_provider_id')}
                onChange={(value) => set({ account_provider_id: value })}
              />
            ) : (
              <TextInput
                label="Provider"
                description="In place of its public prices"
                required
                placeholder="openai"
                value={draft.provider}
                error={refused('provider')}
                onChange={(event) => set({ provider: event.currentTarget.value })}
              />
            )}
            <Select
              label="Gateway"
              description={isCustom ? undefined : 'Where it holds'}
              clearable
              placeholder="every one"
              data={(gateways.data?.items ?? []).map((one) => one.id)}
              value={draft.gateway_id}
              error={refused('gateway_id')}
              onChange={(value) => set({ gateway_id: value })}
            />
            <Select
              label="Its model's name"
              data={[
                { value: 'equals', label: 'is' },
                { value: 'starts-with', label: 'starts with' },
                { value: 'contains', label: 'contains' },
              ]}
              value={draft.model_rule}
              onChange={(value) => set({ model_rule: value as ModelRule })}
            />
            <TextInput
              label="Model"
              required
              maxLength={256}
              value={draft.model}
              error={refused('model')}
              onChange={(event) => set({ model: event.currentTarget.value })}
            />
          </SimpleGrid>
          <Prices
            prices={prices}
            onChange={setPrices}
            refused={(name) => refused('token_pricing', name)}
            open={KINDS.some(({ name, usual }) => !usual && name in before)}
          />
          <SimpleGrid cols={{ base: 1, sm: 3 }}>
            <NumberInput
              label="Weight"
              description="The heaviest holds"
              allowDecimal={false}
              value={draft.weight}
              error={refused('weight')}
              onChange={(value) => set({ weight: Number(value) })}
            />
            <TextInput
              label="From"
              description="A date or time; empty: now"
              placeholder="2026-12-01"
              value={draft.valid_from}
              error={refused('valid_from')}
              onChange={(event) => set({ valid_from: event.currentTarget.value })}
            />
            <TextInput
              label="Until"
              description="Empty: no end"
              value={draft.valid_until}
              error={refused('valid_until')}
              onChange={(event) => set({ valid_until: event.currentTarget.value })}
            />
          </SimpleGrid>
          <Switch label="In force" checked={draft.enable} onChange={(event) => set({ enable: event.currentTarget.checked })} />
          {save.isError && <Failed problem={save.error} />}
          <Group>
            <Button type="submit" loading={save.isPending}>
              {rule ? 'Save' : 'Add the rule'}
            </Button>
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}

interface PricesProps {
  prices: Record<string, string>;
  open: boolean;
  onChange: (prices: Record<string, string>) => void;
  refused: (name: string) => string | undefined;
}

/** Texts, not numbers: what is typed is what is sent. */
function Prices({ prices, open, onChange, refused }: PricesProps) {
  const [more, setMore] = useState(open);
  const field = ({ name, label, per }: (typeof KINDS)[number]) => (
    <TextInput
      key={name}
      label={label}
      description={per === 'million' ? 'dollars for a million' : 'dollars for one'}
      inputMode="decimal"
      value={prices[name] ?? ''}
      error={refused(name)}
      onChange={(event) => onChange({ ...prices, [name]: event.currentTarget.value })}
    />
  );
  return (
    <Stack gap="xs" component="fieldset" className="plain">
      <Text component="legend" size="sm" fw={600}>
        Prices
      </Text>
      <Text size="xs" c="dimmed">
        0 is a price; empty is none. A part of the input or output without a price of its own costs what the whole does.
      </Text>
      <SimpleGrid cols={{ base: 1, xs: 2, sm: 4 }}>{KINDS.filter((one) => one.usual).map(field)}</SimpleGrid>
      <Collapse expanded={more}>
        <SimpleGrid cols={{ base: 1, xs: 2, sm: 4 }}>{KINDS.filter((one) => !one.usual).map(field)}</SimpleGrid>
      </Collapse>
      {!more && (
        <Group>
          <Button size="compact-xs" variant="default" onClick={() => setMore(true)}>
            More kinds
          </Button>
        </Group>
      )}
    </Stack>
  );
}
