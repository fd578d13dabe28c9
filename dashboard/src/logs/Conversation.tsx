import { Badge, Button, Group, Paper, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { Piece, Turn } from './conversation';

const FOLDED = 4_000; // characters of one text that are shown at first
const MOST = 200; // turns that are shown at first
const PICTURES = /^data:image\/(?:png|jpeg|gif|webp|avif);base64,[A-Za-z0-9+/=\s]+$/;

/** A conversation as it went. Everything in it is a stranger's, and is shown as text. */
export function Conversation({ turns }: { turns: Turn[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? turns : turns.slice(-MOST);
  return (
    <Stack gap="xs">
      {shown.length < turns.length && (
        <Button variant="default" onClick={() => setAll(true)}>
          Show the {turns.length - shown.length} earlier messages
        </Button>
      )}
      {shown.map((turn, index) => (
        <Paper key={index} withBorder p="xs" radius="sm">
          <Badge mb={4} color={turn.role === 'error' ? 'red' : turn.role === 'assistant' || turn.role === 'model' ? 'gauge' : 'gray'}>
            {turn.role.slice(0, 40)}
          </Badge>
          <Stack gap={6}>
            {turn.pieces.map((piece, at) => (
              <ShownPiece key={at} piece={piece} />
            ))}
          </Stack>
        </Paper>
      ))}
    </Stack>
  );
}

function ShownPiece({ piece }: { piece: Piece }) {
  switch (piece.kind) {
    case 'text':
      return <LoggedText text={piece.text} prose />;
    case 'thinking':
      return (
        <Labelled label="thinking">
          <LoggedText text={piece.text} prose />
        </Labelled>
      );
    case 'call':
      return (
        <Labelled label={`calls ${piece.name}`}>
          <LoggedText text={piece.input} />
        </Labelled>
      );
    case 'result':
      return (
        <Labelled label="tool result">
          <LoggedText text={piece.text} />
        </Labelled>
      );
    case 'other':
      return (
        <Labelled label={piece.label}>
          <LoggedText text={piece.text} />
        </Labelled>
      );
    case 'image':
      return <Picture source={piece.source} />;
  }
}

function Labelled({ label, children }: { label: string; children: React.ReactNode }) {
  return (
    <div>
      <Text size="xs" c="dimmed" fw={600} className="cell" maw="100%">
        {label}
      </Text>
      {children}
    </div>
  );
}

/** Pictures inside the log are shown; those elsewhere are named, and never fetched. */
function Picture({ source }: { source: string }) {
  if (PICTURES.test(source))
    return <img src={source} alt="in the conversation" style={{ maxWidth: '100%', maxHeight: 320, objectFit: 'contain' }} />;
  return (
    <Labelled label="image (not loaded)">
      <LoggedText text={source} />
    </Labelled>
  );
}

/** Text of a stranger, folded where it is long. */
export function LoggedText({ text, prose = false, limit = FOLDED }: { text: string; prose?: boolean; limit?: number }) {
  const [size, setSize] = useState(limit);
  const rest = text.length - size;
  return (
    <>
      <pre className={prose ? 'logged prose' : 'logged'} dir="auto">
        {rest > 0 ? text.slice(0, size) : text}
      </pre>
      {rest > 0 && (
        <Group gap="xs">
          <Button size="compact-xs" variant="default" onClick={() => setSize(size + 50_000)}>
            Show {rest > 50_000 ? '50,000 more' : 'the rest'} ({rest.toLocaleString('en-US')} characters left)
          </Button>
        </Group>
      )}
    </>
  );
}
