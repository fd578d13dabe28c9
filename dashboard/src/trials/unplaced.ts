/** Which of the server's words have no field beside which they stand. */
import { ApiError } from '../api/client';

/** What the server says of a field of the body, or of a part of it. */
export type About = (...field: (string | number)[]) => string | undefined;

const SHARED = ['evaluation_type_ids', 'margins'];
const CANDIDATE_FIELDS = ['model', 'label', 'system', 'append_system', 'parameters', 'cost_per_token_in', 'cost_per_token_out'];

export function aboutOf(problem: Error | null): About {
  return (...field) => (problem instanceof ApiError ? problem.about(...field) : undefined);
}

/** The problem, where any of its words stands at no field; `fields` are those of the form beside a candidate's. */
export function unplacedOf(problem: Error | null, fields: string[]): Error | null {
  const isPlaced = ({ path = [] }: ApiError['errors'][number]) => {
    const field = String(path[1]);
    if (field === 'candidates') return CANDIDATE_FIELDS.includes(String(path[3]));
    return fields.includes(field) || SHARED.includes(field);
  };
  return problem instanceof ApiError && problem.errors.length > 0 && problem.errors.every(isPlaced) ? null : problem;
}
