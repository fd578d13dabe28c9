import { MultiSelect } from '@mantine/core';
import type { MarginDraft } from './candidate';
import { ALWAYS, type Choice, Margins } from './Margins';
import type { About } from './unplaced';

interface Props {
  /** What answers can be judged by. */
  questions: Choice[];
  judged: string[];
  onJudged: (ids: string[]) => void;
  margins: MarginDraft[];
  onMargins: (drafts: MarginDraft[]) => void;
  about: About;
}

/** By what both answers are judged, and how much worse a candidate may be. */
export function Judging({ questions, judged, onJudged, margins, onMargins, about }: Props) {
  return (
    <>
      <MultiSelect
        label="Both answers are also judged by"
        description="Cost, latency and errors are compared in any case. Judges cost, too, each within a cap of its own."
        searchable
        data={questions}
        value={judged}
        onChange={onJudged}
        error={about('evaluation_type_ids')}
      />
      <Margins
        label="How much worse still passes"
        of="what was logged"
        drafts={margins}
        figures={[...ALWAYS, ...questions.filter((one) => judged.includes(one.value))]}
        onChange={onMargins}
        error={about('margins')}
      />
    </>
  );
}
