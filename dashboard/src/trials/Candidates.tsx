import { Badge, Code, Group, Text } from '@mantine/core';
import type { Candidate } from '../api/trials';

/** What each candidate changes. */
export function Candidates({ candidates }: { candidates: Candidate[] }) {
  return (
    <>
      {candidates.map((one) => (
        <div key={one.label}>
          <Group gap={6}>
            <Badge color="gray" maw="100%">
              {one.label}
            </Badge>
            <Text size="sm">{one.model === null ? 'the logged model' : one.model}</Text>
            {Object.keys(one.parameters).length > 0 && <Code>{JSON.stringify(one.parameters)}</Code>}
          </Group>
          {one.system !== null && <Prompt label="In the place of the system prompt" text={one.system} />}
          {one.append_system !== null && <Prompt label="Behind the system prompt" text={one.append_system} />}
        </div>
      ))}
    </>
  );
}

function Prompt({ label, text }: { label: string; text: string }) {
  return (
    <>
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <pre className="logged prose" dir="auto">
        {text}
      </pre>
    </>
  );
}
