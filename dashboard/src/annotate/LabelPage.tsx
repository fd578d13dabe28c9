import { Alert, Button, Card, Group, Kbd, Progress, Stack, Text, TextInput, Textarea } from '@mantine/core';
import { type FormEvent, useCallback, useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import { type Next, type Queue, type Said, useNext, useQueue, useSay } from '../api/annotations';
import { FrozenTalk, LoggedTalk } from '../logs/LogDrawer';
import { count } from '../parts/format';
import { Empty, Failed, Loading } from '../parts/States';
import { useMay } from '../session/SessionContext';
import { Page } from '../shell/Page';

const REMEMBERED = 'gaugeway-annotator';

/** One log at a time, keyboard first: a digit labels it, and the next one comes. */
export default function LabelPage({ gateway, id }: { gateway: string; id: string }) {
  const queue = useQueue(gateway, id);
  const mayWrite = useMay('Write');
  const [annotator, setAnnotator] = useState(() => sessionStorage.getItem(REMEMBERED) ?? '');
  if (queue.isPending) return <Loading rows={8} />;
  if (queue.isError) return <Failed problem={queue.error} retry={() => void queue.refetch()} />;
  const begin = (name: string) => {
    sessionStorage.setItem(REMEMBERED, name);
    setAnnotator(name);
  };
  return (
    <Page
      title={queue.data.name}
      actions={
        <>
          {annotator && (
            <Button variant="default" onClick={() => begin('')}>
              {annotator}: somebody else
            </Button>
          )}
          <Button variant="default" component={Link} href={`/gateways/${encodeURIComponent(gateway)}/annotate/${id}`}>
            To the queue
          </Button>
        </>
      }
    >
      {!mayWrite && <Empty title="This token may not label">Labelling needs a token that may Write.</Empty>}
      {mayWrite && annotator === '' && <WhoAreYou onBegin={begin} />}
      {mayWrite && annotator !== '' && <Desk key={annotator} gateway={gateway} queue={queue.data} annotator={annotator} />}
    </Page>
  );
}

function WhoAreYou({ onBegin }: { onBegin: (name: string) => void }) {
  const [name, setName] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onBegin(name.trim());
  };
  return (
    <Card maw={420}>
      <form onSubmit={submit}>
        <Stack>
          <TextInput
            label="Your name"
            description="Your labels are kept under it: give the same one next time."
            required
            maxLength={64}
            pattern="[^\/]+"
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            autoFocus
          />
          <Button type="submit" disabled={name.trim() === ''}>
            Begin
          </Button>
        </Stack>
      </form>
    </Card>
  );
}

function Desk({ gateway, queue, annotator }: { gateway: string; queue: Queue; annotator: string }) {
  const next = useNext(gateway, queue.id, annotator);
  const say = useSay(gateway, queue.id, annotator);
  const [last, setLast] = useState<string | null>(null);
  const busy = say.isPending || next.isFetching;
  const { mutate } = say;
  const keep = useCallback(
    (said: Said) => mutate(said, { onSuccess: () => setLast(said.label === undefined ? null : said.log_id) }),
    [mutate],
  );
  if (next.isPending) return <Loading rows={8} />;
  if (next.isError) return <Failed problem={next.error} retry={() => void next.refetch()} />;
  const undo = last === null ? undefined : () => keep({ log_id: last, label: undefined, note: '' });
  return (
    <Stack gap="sm">
      <Far next={next.data} annotator={annotator} />
      {say.isError && <Failed problem={say.error} />}
      {next.data.item === null ? (
        <Card>
          <Empty title="Nothing is left for you">
            <Stack align="center" gap="xs">
              You have seen every log that still needed you.
              {undo && (
                <Button variant="default" onClick={undo}>
                  Take the last one back
                </Button>
              )}
            </Stack>
          </Empty>
        </Card>
      ) : (
        <Item
          key={next.data.item.log_id}
          gateway={gateway}
          queue={queue}
          log_id={next.data.item.log_id}
          busy={busy}
          onSay={keep}
          onUndo={undo}
        />
      )}
    </Stack>
  );
}

function Far({ next, annotator }: { next: Next; annotator: string }) {
  const { items, complete, gone, annotators } = next.progress;
  const done = items === 0 ? 100 : (100 * (complete + gone)) / items;
  return (
    <Group gap="sm">
      <Progress value={done} w={160} size="sm" aria-label={`${count(complete)} of ${count(items)} logs are complete`} />
      <Text size="sm" className="figures" role="status">
        You have seen {count(annotators[annotator] ?? 0)}; {count(complete)} of {count(items)} logs are complete
      </Text>
    </Group>
  );
}

interface ItemProps {
  gateway: string;
  queue: Queue;
  log_id: string;
  busy: boolean;
  onSay: (said: Said) => void;
  onUndo?: () => void;
}

function Item({ gateway, queue, log_id, busy, onSay, onUndo }: ItemProps) {
  const [note, setNote] = useState('');
  const [why, setWhy] = useState(false);
  const noteField = useRef<HTMLTextAreaElement>(null);
  const cannot = useCallback(() => {
    if (note.trim() === '') {
      setWhy(true);
      noteField.current?.focus();
    } else onSay({ log_id, label: null, note });
  }, [log_id, note, onSay]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.closest('input, textarea, select, [contenteditable]') !== null;
      if (typing || busy || event.ctrlKey || event.metaKey || event.altKey) return;
      const label = /^[1-9]$/.test(event.key) ? queue.labels[Number(event.key) - 1] : undefined;
      if (label !== undefined) onSay({ log_id, label, note });
      else if (event.key === '0') cannot();
      else if (event.key === 'n') noteField.current?.focus();
      else if (event.key === 'u') onUndo?.();
      else return;
      event.preventDefault();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [busy, cannot, log_id, note, onSay, onUndo, queue.labels]);
  return (
    <>
      {queue.instructions && (
        <Alert variant="light" title="What you are asked">
          <Text size="sm" className="logged prose">
            {queue.instructions}
          </Text>
        </Alert>
      )}
      <Card component="section" aria-label="The log">
        {queue.snapshot === null ? (
          <LoggedTalk gateway={gateway} id={log_id} />
        ) : (
          <FrozenTalk place={{ gateway_id: gateway, dataset_id: queue.snapshot.dataset_id, snapshot_id: queue.snapshot.id }} id={log_id} />
        )}
      </Card>
      <Card pos="sticky" bottom={0} component="section" aria-label="Your label">
        <Stack gap="xs">
          <Textarea
            ref={noteField}
            aria-label="Note"
            placeholder="A note, if you like"
            autosize
            maxRows={4}
            maxLength={4096}
            value={note}
            onChange={(event) => setNote(event.currentTarget.value)}
            onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
            error={why && note.trim() === '' ? 'Say why it cannot be judged, then choose that again' : undefined}
          />
          <Group gap="xs" role="group" aria-label="Labels">
            {queue.labels.map((label, index) => (
              <Button
                key={label}
                disabled={busy}
                onClick={() => onSay({ log_id, label, note })}
                rightSection={index < 9 && <Kbd size="xs">{index + 1}</Kbd>}
              >
                {label}
              </Button>
            ))}
            <Button variant="default" disabled={busy} onClick={cannot} rightSection={<Kbd size="xs">0</Kbd>}>
              cannot be judged
            </Button>
            {onUndo && (
              <Button variant="default" disabled={busy} onClick={onUndo} rightSection={<Kbd size="xs">u</Kbd>}>
                Take the last one back
              </Button>
            )}
            <Text size="xs" c="dimmed">
              <Kbd size="xs">n</Kbd> to write a note, <Kbd size="xs">Esc</Kbd> to leave it
            </Text>
          </Group>
        </Stack>
      </Card>
    </>
  );
}
