import { Button, Group, Modal, MultiSelect, NumberInput, Select, Stack, TagsInput, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { useCreateQueue } from '../api/annotations';
import { ApiError } from '../api/client';
import { useDatasets } from '../api/datasets';
import { LIVE, Logs } from '../datasets/Logs';
import { Failed } from '../parts/States';

const MEASURES = [
  { value: 'nominal', label: 'Alike or not' },
  { value: 'ordinal', label: 'The order of the labels counts' },
  { value: 'interval', label: 'Labels are numbers, their distance counts' },
];

/** Draws logs from datasets for people to label. */
export function NewQueue({ gateway, onClose }: { gateway: string; onClose: () => void }) {
  const datasets = useDatasets(gateway);
  const create = useCreateQueue(gateway);
  const [, go] = useLocation();
  const [name, setName] = useState('');
  const [datasetIds, setDatasets] = useState<string[]>([]);
  const [snapshot, setSnapshot] = useState(LIVE);
  const [instructions, setInstructions] = useState('');
  const [labels, setLabels] = useState(['bad', 'good']);
  const [measure, setMeasure] = useState<string>('nominal');
  const [annotators, setAnnotators] = useState<string | number>(2);
  const [size, setSize] = useState<string | number>(100);
  const about = (field: string) => (create.error instanceof ApiError ? create.error.about(field) : undefined);
  const shown = ['name', 'dataset_ids', 'labels', 'annotators_per_item', 'size', 'positive_labels'];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(
      {
        name,
        dataset_ids: snapshot === LIVE ? datasetIds : [snapshot],
        instructions,
        labels,
        measure: measure as 'nominal',
        annotators_per_item: Number(annotators),
        size: Number(size),
        seed: 0,
      },
      { onSuccess: (queue) => go(`/gateways/${encodeURIComponent(gateway)}/annotate/${queue.id}`) },
    );
  };
  return (
    <Modal opened onClose={onClose} title="New queue" size="lg">
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Name"
            required
            maxLength={256}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            error={about('name')}
            data-autofocus
          />
          <MultiSelect
            label="Datasets"
            description="Logs are drawn from all of them together, at random, now."
            required
            maxValues={5}
            searchable
            data={(datasets.data?.items ?? []).map((dataset) => ({ value: dataset.id, label: dataset.name }))}
            value={datasetIds}
            onChange={(chosen) => {
              setDatasets(chosen);
              setSnapshot(LIVE);
            }}
            error={about('dataset_ids') ?? (datasets.data?.items.length === 0 ? 'There is no dataset yet: make one first' : undefined)}
          />
          {datasetIds.length === 1 && <Logs gateway={gateway} dataset={datasetIds[0] ?? null} value={snapshot} onChange={setSnapshot} />}
          <Textarea
            label="What annotators are asked"
            autosize
            minRows={2}
            maxLength={4096}
            value={instructions}
            onChange={(event) => setInstructions(event.currentTarget.value)}
          />
          <TagsInput
            label="Labels"
            description="In their order, lowest first; the last one means good, which a judge is held against."
            maxTags={20}
            value={labels}
            onChange={setLabels}
            error={about('labels') ?? about('positive_labels')}
          />
          <Select
            label="What disagreement weighs"
            data={MEASURES}
            value={measure}
            onChange={(value) => setMeasure(value ?? 'nominal')}
            allowDeselect={false}
          />
          <Group grow>
            <NumberInput
              label="People for each log"
              min={1}
              max={20}
              value={annotators}
              onChange={setAnnotators}
              error={about('annotators_per_item')}
            />
            <NumberInput label="Logs" min={1} max={10_000} value={size} onChange={setSize} error={about('size')} />
          </Group>
          {create.isError && !shown.some(about) && <Failed problem={create.error} />}
          <Group>
            <Button type="submit" loading={create.isPending}>
              Draw the logs
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
