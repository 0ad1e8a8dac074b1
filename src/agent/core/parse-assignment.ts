import type { Assignment } from '../../shared/model/assignment.js';
import { assignmentSchema } from '../../shared/model/assignment-schema.js';

/**
 * Reads Prepare's JSON with the strict schema.
 * @throws Error whose message is one sentence naming every field that is wrong
 */
export function parseAssignment(json: string): Assignment {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new Error('it is not JSON');
  }
  const parsed = assignmentSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join('.')}: ${message}`,
  );
  throw new Error(problems.join('; '));
}
