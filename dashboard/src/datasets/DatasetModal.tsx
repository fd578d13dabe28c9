import { Alert, Button, Checkbox, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { ApiError } from '../api/client';
import { useSaveDataset } from '../api/datasets';
import { useCount } from '../api/logs';
import type { Criterion, Dataset } from '../api/types';
import { FilterBar } from '../logs/FilterBar';
import { fitsDataset, isExact, worded } from '../logs/filter-keys';
import { count } from '../parts/format';
import { Failed } from '../parts/States';

interface Props {
  gateway: string;
  filters: Criterion[];
  search?: string;
  dataset?: Dataset;
  onClose: () => void;
  onSaved?: (dataset: Dataset) => void;
}

/** A new dataset from filters, or a change of one; how many logs it has is counted as one types. */
export function DatasetModal({ gateway, filters: given, search = '', dataset, onClose, onSaved }: Props) {
  const [name, setName] = useState(dataset?.name ?? '');
  const [enable, setEnable] = useState(dataset?.enable ?? true);
  const [filters, setFilters] = useState(dataset ? given : given.filter(fitsDataset)); // what it has, it can have
  const [unfinished, setUnfinished] = useState(false);
  const save = useSaveDataset(gateway, dataset?.id);
  const left = dataset ? [] : given.filter((filter) => !fitsDataset(filter)).map(worded);
  if (search) left.push(`search “${search}”`);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(
      { name, enable, filters },
      {
        onSuccess: (saved) => {
          onSaved?.(saved);
          onClose();
        },
      },
    );
  };
  const refused = save.error instanceof ApiError ? save.error.about('name') : undefined;
  return (
    <Modal opened onClose={onClose} title={dataset ? 'Change the dataset' : 'New dataset'} size="lg">
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm" c="dimmed">
            A dataset is a name for filters. It holds whatever logs match them at the moment it is used; an evaluation keeps to the logs of
            the moment it was made.
          </Text>
          {left.length > 0 && (
            <Alert color="yellow" variant="light" title="Not part of the dataset">
              <Text size="sm">Datasets cannot have these, so it will hold more logs than the list shows: {left.join('; ')}.</Text>
            </Alert>
          )}
          <TextInput
            label="Name"
            required
            maxLength={256}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={refused}
            data-autofocus
          />
          <FilterBar filters={filters} onChange={setFilters} onUnfinished={setUnfinished} forDataset />
          <Counted gateway={gateway} filters={filters} />
          {!filters.every(isExact) && (
            <Alert color="yellow" variant="light" title="It cannot be saved here">
              A number in the filters has more digits than a browser keeps, so it would be changed. Remove that filter, or use the API.
            </Alert>
          )}
          <Checkbox label="New evaluations may use it" checked={enable} onChange={(event) => setEnable(event.currentTarget.checked)} />
          {save.isError && !refused && <Failed problem={save.error} />}
          <Group>
            <Button type="submit" loading={save.isPending} disabled={unfinished || !filters.every(isExact)}>
              {dataset ? 'Save' : 'Create the dataset'}
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

/** How many logs match some filters now. */
export function Counted({ gateway, filters }: { gateway: string; filters: Criterion[] }) {
  const matching = useCount(gateway, filters);
  if (matching.isError)
    return (
      <Text size="sm" c="red" role="status">
        {matching.error.message}
      </Text>
    );
  const text =
    matching.data === undefined
      ? 'counting …'
      : matching.data === null
        ? 'very many logs match'
        : matching.data === 1
          ? '1 log matches'
          : `${count(matching.data)} logs match`;
  return (
    <Text size="sm" className="figures" role="status">
      {filters.length === 0 ? `Without filters, all of them: ${text}` : text}
    </Text>
  );
}
