import { Button, Card, Group, Stack, Text, TextInput, Title } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Link } from 'wouter';
import { type Monitor, useSaveMonitor } from '../api/monitors';
import type { EvaluationType } from '../api/types';
import { CustomType } from '../evaluations/CustomType';
import { Evaluators } from '../evaluations/Evaluators';
import { Failed } from '../parts/States';
import { aboutOf, unplacedOf } from '../trials/unplaced';
import { Alarm } from './Alarm';
import { bodyOf, type Draft, fieldsOf, missingOf } from './draft';
import { Sample, Schedule } from './HowOften';
import { Told } from './Told';
import { Watched } from './Watched';

interface FormProps {
  gateway: string;
  types: EvaluationType[];
  /** The monitor that is changed; undefined for a new one. */
  kept?: Monitor;
  first: Draft;
  onSaved: (monitor: Monitor) => void;
}

/** Everything that a monitor can be asked for, in the order in which one thinks of it. */
export function MonitorForm({ gateway, types, kept, first, onSaved }: FormProps) {
  const save = useSaveMonitor(gateway, kept?.id);
  const [draft, setDraft] = useState(first);
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  const about = aboutOf(save.error);
  const unplaced = unplacedOf(save.error, fieldsOf(draft));
  const missing = missingOf(draft);
  const base = `/gateways/${encodeURIComponent(gateway)}/monitors`;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(bodyOf(draft, kept), { onSuccess: onSaved });
  };
  const part = { draft, set, about };
  return (
    <form onSubmit={submit}>
      <Stack>
        <Part title="What is watched">
          <TextInput
            label="Name"
            description="Its own within the gateway; notices say it."
            required
            maxLength={256}
            value={draft.name}
            onChange={(event) => set({ name: event.currentTarget.value })}
            error={about('name')}
          />
          <Watched {...part} gateway={gateway} kept={kept} />
        </Part>
        <Part title="What to find out">
          <Evaluators
            all={types.filter((one) => one.enable)}
            wanted={draft.types}
            onChange={(chosen) => set({ types: chosen, margins: draft.margins.filter((one) => chosen.includes(one.figure)) })}
            label="Questions"
            columns={3}
            error={about('evaluation_type_ids')}
          />
          <CustomType gateway={gateway} all={types} onCreated={(id) => set({ types: [...draft.types, id] })} />
        </Part>
        <Part title="How often">
          <Schedule {...part} />
        </Part>
        <Part title="How much of it, and what it may cost">
          <Sample {...part} judges={types.some((one) => draft.types.includes(one.id) && ['judge', 'embedding'].includes(one.type))} />
        </Part>
        <Part title="When it is an alert">
          <Alarm {...part} gateway={gateway} types={types} />
        </Part>
        <Part title="Who is told">
          <Told {...part} kept={kept} />
        </Part>
        {unplaced && <Failed problem={unplaced} />}
        <Group>
          <Button type="submit" loading={save.isPending} disabled={missing !== null}>
            {kept ? 'Save the monitor' : 'Begin to watch'}
          </Button>
          <Button variant="default" component={Link} href={kept ? `${base}/${kept.id}` : base}>
            Cancel
          </Button>
          <Text size="xs" c="dimmed">
            {missing ??
              (kept
                ? 'Where other logs or questions are measured from now on, the windows before are no reference any more.'
                : 'It counts logs from the moment at which it is made.')}
          </Text>
        </Group>
      </Stack>
    </form>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card component="section" aria-label={title}>
      <Stack gap="sm">
        <Title order={2}>{title}</Title>
        {children}
      </Stack>
    </Card>
  );
}
