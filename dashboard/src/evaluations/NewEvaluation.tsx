import { Alert, Anchor, Button, Group, Modal, MultiSelect, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { Link } from 'wouter';
import { ApiError } from '../api/client';
import { useCreateEvaluation, useEvaluationTypes } from '../api/evaluations';
import { useCount } from '../api/logs';
import type { Dataset } from '../api/types';
import { useKnownDatasets } from '../datasets/known';
import { count } from '../parts/format';
import { Failed, Loading } from '../parts/States';
import { CustomType } from './CustomType';
import { Evaluators } from './Evaluators';

const MOST_DATASETS = 5;
const USUAL = ['cost', 'speed', 'human_feedback'];

interface Props {
  gateway: string;
  datasets: string[];
  types?: string[];
  onClose: () => void;
  onCreated: (id: string) => void;
}

/** Everything that an evaluation needs, on one page. */
export function NewEvaluation({ gateway, datasets: asked, types: askedTypes, onClose, onCreated }: Props) {
  const [search, setSearch] = useState('');
  const { known, ...datasets } = useKnownDatasets(gateway, search);
  const types = useEvaluationTypes();
  const create = useCreateEvaluation(gateway);
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState(asked);
  const [wanted, setWanted] = useState<string[] | null>(askedTypes ?? null);
  if (types.isPending || datasets.isPending)
    return (
      <Modal opened onClose={onClose} title="New evaluation">
        <Loading />
      </Modal>
    );
  const problem = types.error ?? datasets.error;
  if (problem)
    return (
      <Modal opened onClose={onClose} title="New evaluation">
        <Failed problem={problem} />
      </Modal>
    );
  const all = types.data ?? [];
  const evaluators = wanted ?? all.filter((type) => USUAL.includes(type.id)).map((type) => type.id);
  const selected = chosen.map((id) => known[id]).filter((dataset) => dataset !== undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      { name, dataset_ids: selected.map((one) => one.id), evaluation_type_ids: evaluators },
      { onSuccess: (made) => onCreated(made.id) },
    );
  };
  const refused = create.error instanceof ApiError ? create.error.about('name') : undefined;
  const nothing = Object.keys(known).length === 0;
  return (
    <Modal opened onClose={onClose} title="New evaluation" size="xl">
      <form onSubmit={submit}>
        <Stack>
          {nothing && (
            <Alert color="yellow" variant="light" title="There is no dataset to evaluate">
              <Anchor component={Link} href={`/gateways/${encodeURIComponent(gateway)}/datasets`} size="sm">
                Make one first
              </Anchor>
            </Alert>
          )}
          <TextInput
            label="Name"
            description="Its own within the gateway."
            required
            maxLength={256}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={refused}
            autoFocus
          />
          <MultiSelect
            label="Datasets"
            description="A log that is in several of them counts once."
            data={Object.values(known).map((dataset) => ({ value: dataset.id, label: dataset.name }))}
            value={selected.map((one) => one.id)}
            onChange={setChosen}
            searchable
            onSearchChange={setSearch}
            maxValues={MOST_DATASETS}
            hidePickedOptions
          />
          {selected.map((dataset) => (
            <Size key={dataset.id} gateway={gateway} dataset={dataset} />
          ))}
          <Evaluators all={all.filter((type) => type.enable)} wanted={evaluators} onChange={setWanted} />
          <CustomType gateway={gateway} all={all} onCreated={(id) => setWanted([...evaluators, id])} />
          <Text size="xs" c="dimmed">
            It looks at the logs up to this moment, the newest included, and says how many each figure is computed from.
          </Text>
          {create.isError && !refused && <Failed problem={create.error} />}
          <Group>
            <Button type="submit" loading={create.isPending} disabled={selected.length === 0 || evaluators.length === 0}>
              Run
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

function Size({ gateway, dataset }: { gateway: string; dataset: Dataset }) {
  const matching = useCount(gateway, dataset.filters);
  const size = matching.data === undefined ? '…' : matching.data === null ? 'very many' : count(matching.data);
  return (
    <Text size="xs" className="figures" role="status">
      {dataset.name}: {size} logs now
    </Text>
  );
}
