import { List, Text } from '@mantine/core';
import type { PanelAgreement, Vote } from '../api/types';
import { count } from '../parts/format';

/** What each member of a panel said of one log. */
export function Votes({ votes }: { votes: Vote[] }) {
  return (
    <List size="xs" mt={4} aria-label="Members' verdicts">
      {votes.map((vote) => (
        <List.Item key={vote.model}>
          <span className="logged prose">
            {vote.model}: {vote.failed ? 'no verdict' : vote.verdict}
            {vote.note && ` (${vote.note})`}
          </span>
        </List.Item>
      ))}
    </List>
  );
}

/** How far a panel's members agree, and how each of them did. */
export function Agreement({ agreement }: { agreement: PanelAgreement }) {
  const { value, low, high, note } = agreement.alpha;
  const known = value === null ? 'not known' : value.toFixed(2);
  const ends = low === null || high === null ? '' : ` (${low.toFixed(2)} to ${high.toFixed(2)})`;
  const members = agreement.members.map((one) => {
    const sided = one.with_panel === null ? '' : `, ${count(one.with_panel)} as the panel`;
    return `${one.model}: ${count(one.verdicts)} verdicts${sided}, ${count(one.failed)} failed`;
  });
  return (
    <Text size="xs" c="dimmed" px="sm" pb="xs">
      The members' agreement over {count(agreement.shared_logs)} logs, Krippendorff's alpha: {known}
      {ends}
      {note && `; ${note}`}. {members.join('; ')}.
    </Text>
  );
}
