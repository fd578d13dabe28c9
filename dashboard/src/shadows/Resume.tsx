import { Button, Group, Modal, NumberInput, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { type Shadow, useResumeShadow } from '../api/shadows';
import { fullMoment, sentMoment } from '../parts/format';
import { Failed } from '../parts/States';
import { aboutOf, unplacedOf } from '../trials/unplaced';

const FIELDS = ['daily_cap', 'until', 'max_items'];

/** A shadow that has ended goes on, perhaps for longer and with more money. */
export function Resume({ gateway, shadow, onClose }: { gateway: string; shadow: Shadow; onClose: () => void }) {
  const resume = useResumeShadow(gateway, shadow.id);
  const [cap, setCap] = useState<string | number>('');
  const [until, setUntil] = useState('');
  const [most, setMost] = useState<string | number>('');
  const about = aboutOf(resume.error);
  const unplaced = unplacedOf(resume.error, FIELDS);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const body = {
      ...(cap !== '' && { daily_cap: Number(cap) }),
      ...(until !== '' && { until: sentMoment(until) }),
      ...(most !== '' && { max_items: Number(most) }),
    };
    resume.mutate(body, { onSuccess: onClose });
  };
  return (
    <Modal opened onClose={onClose} title="Resume the shadow?" size="lg">
      <form onSubmit={submit}>
        <Stack>
          <Text size="sm">
            Requests that arrive from now on count again, beside those that were called. What is left empty stays as it was.
          </Text>
          <Group grow align="flex-start" preventGrowOverflow={false}>
            <NumberInput
              miw={160}
              label="Cap a day, in dollars"
              description={`Now ${shadow.daily_cap}`}
              min={0}
              decimalScale={12}
              value={cap}
              onChange={setCap}
              error={about('daily_cap')}
            />
            <TextInput
              miw={180}
              type="datetime-local"
              label="Until"
              description={`Your time. Now ${fullMoment(shadow.until)}`}
              value={until}
              onChange={(event) => setUntil(event.currentTarget.value)}
              error={about('until')}
            />
            <NumberInput
              miw={160}
              label="Requests at most"
              description={`Now ${shadow.max_items}, with those that were called`}
              min={1}
              max={50_000}
              value={most}
              onChange={setMost}
              error={about('max_items')}
            />
          </Group>
          {unplaced && <Failed problem={unplaced} />}
          <Group>
            <Button type="submit" loading={resume.isPending}>
              Resume it
            </Button>
            <Button variant="default" onClick={onClose}>
              Leave it
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  );
}
