import { Checkbox, Paper, SimpleGrid, Stack, Text } from '@mantine/core';
import type { EvaluationType } from '../api/types';

const DIRECTIONS: Record<string, string> = { lower: 'lower is better', higher: 'higher is better' };
const FAMILIES: Record<string, string> = {
  aggregate: 'From the figures of logs',
  code: 'From what was answered',
  judge: 'As a model judges',
  embedding: 'By an embedding model',
  python: 'By a program of yours',
};

interface Props {
  /** Those that can be asked. */
  all: EvaluationType[];
  wanted: string[];
  onChange: (ids: string[]) => void;
  label?: string;
  /** How many stand beside each other on a wide screen. */
  columns?: number;
  error?: string;
}

/** The questions that can be asked, each with what it means. */
export function Evaluators({ all, wanted, onChange, label = 'What to find out', columns = 2, error }: Props) {
  return (
    <Checkbox.Group label={label} value={wanted} onChange={onChange} error={error}>
      {[...new Set(all.map((type) => type.type))].map((family) => (
        <Stack key={family} gap={8} mt={8}>
          <Text size="xs" c="dimmed" fw={600}>
            {FAMILIES[family] ?? family}
          </Text>
          <SimpleGrid cols={{ base: 1, sm: 2, lg: columns }} spacing={8}>
            {all
              .filter((type) => type.type === family)
              .map((type) => (
                <Paper key={type.id} withBorder p="xs" radius="sm">
                  <Checkbox
                    value={type.id}
                    label={
                      <Text size="sm" fw={600} component="span">
                        {type.name}
                      </Text>
                    }
                    description={`${type.description}${directionOf(type)}`}
                  />
                </Paper>
              ))}
          </SimpleGrid>
        </Stack>
      ))}
    </Checkbox.Group>
  );
}

function directionOf(type: EvaluationType): string {
  const words = DIRECTIONS[type.direction];
  return words && !type.description.includes('better') ? ` (${words})` : '';
}
