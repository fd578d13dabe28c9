import { Alert, Anchor } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useState } from 'react';
import { Link } from 'wouter';
import { useDataset, useDatasets } from '../api/datasets';
import { useGateways } from '../api/gateways';
import { Searched } from '../parts/Searched';

interface Props {
  gateway: string;
  value: string | null;
  onChange: (id: string | null) => void;
  error?: string;
}

interface Optional {
  clearable?: boolean;
  placeholder?: string;
  description?: string;
}

/** A dataset that is enabled. `clearable`: there may be none, which `description` explains. */
export function DatasetSelect({ gateway, value, onChange, error, clearable, placeholder, description }: Props & Optional) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text, 300);
  const found = useDatasets(gateway, 1, search);
  const chosen = useDataset(gateway, value ?? '', value !== null);
  const options = (found.data?.items ?? []).filter((one) => one.enable).map((one) => ({ value: one.id, label: one.name }));
  return (
    <Searched
      label="Dataset"
      description={description}
      clearable={clearable}
      placeholder={placeholder}
      options={options}
      chosen={value === null ? null : { value, label: chosen.data?.name ?? options.find((one) => one.value === value)?.label ?? value }}
      onSearch={setText}
      onChange={onChange}
      error={error ?? (found.error ?? chosen.error)?.message}
    />
  );
}

/** Any gateway but the one whose logs are sent again. */
export function GatewaySelect({ gateway, value, onChange, error }: Props) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text, 300);
  const found = useGateways(search === '' ? undefined : search);
  const options = (found.data?.items ?? []).filter((one) => one.id !== gateway).map((one) => ({ value: one.id, label: one.id }));
  return (
    <Searched
      label="Through the gateway"
      description="Another one, with the providers’ keys."
      options={options}
      chosen={value === null ? null : { value, label: value }}
      onSearch={setText}
      onChange={onChange}
      error={error ?? found.error?.message}
    />
  );
}

/** Where there is no other gateway that calls could go through. */
export function NeedsGateway({ what }: { what: string }) {
  return (
    <Alert color="yellow" variant="light" title={`${what} needs a gateway of its own`}>
      Its calls are logged where they pass, and would count as this gateway’s traffic.{' '}
      <Anchor component={Link} href="/" size="sm">
        Make another gateway
      </Anchor>
      , with the keys of the providers that are asked.
    </Alert>
  );
}
