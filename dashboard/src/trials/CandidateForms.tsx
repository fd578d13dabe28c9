import { Button, Group } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useKnownProviders } from '../api/known-providers';
import { CandidateForm } from './CandidateForm';
import { type CandidateDraft, newCandidate } from './candidate';
import type { About } from './unplaced';

const MOST_CANDIDATES = 5;

interface Props {
  gateway: string;
  drafts: CandidateDraft[];
  about: About;
  onChange: (drafts: CandidateDraft[]) => void;
}

/** All candidates, one or more. */
export function CandidateForms({ gateway, drafts, about, onChange }: Props) {
  const models = useKnownProviders(gateway).map((provider) => `${provider}/`);
  return (
    <>
      {drafts.map((draft, index) => (
        <CandidateForm
          key={draft.key}
          number={index + 1}
          draft={draft}
          models={models}
          about={(field) => about('candidates', index, field)}
          onChange={(changed) => onChange(drafts.map((one) => (one.key === changed.key ? changed : one)))}
          onRemove={drafts.length > 1 ? () => onChange(drafts.filter((one) => one.key !== draft.key)) : undefined}
        />
      ))}
      <Group>
        <Button
          variant="default"
          leftSection={<IconPlus size={14} />}
          disabled={drafts.length >= MOST_CANDIDATES}
          onClick={() => onChange([...drafts, newCandidate()])}
        >
          Another candidate
        </Button>
      </Group>
    </>
  );
}
