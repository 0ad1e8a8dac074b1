import type { Assignment } from '../../shared/model/assignment.js';
import type { SelfTest } from '../../shared/model/self-test.js';
import { parseTarget } from '../engines/registry.js';
import { checkStages } from './check-stages.js';
import { checkTarget } from './check-target.js';
import type { TargetReport } from './check-target.js';
import { RunnerFailure } from './failure.js';
import type { Limits } from './given-files.js';
import type { RunnerParts } from './runner-parts.js';
import { selfTest } from './self-test.js';
import { carryOutSentinel } from './sentinel.js';

/** Answer to a preflight, sent as JSON (docs/results.md "check"). */
export interface CheckReport extends TargetReport {
  /** One for each shape of stage; none when there are problems. */
  readonly selfTests: readonly SelfTest[];
}

/** Everything that would stop a run, and what the generator can do. @throws Aborted */
export async function preflight(
  parts: RunnerParts,
  assignment: Assignment,
  limits: Limits,
): Promise<CheckReport> {
  const report = checkTarget(assignment, limits);
  const problems = [...report.problems];
  try {
    const problem = await sentinelProblem(parts, assignment, report);
    if (problem !== undefined) problems.push(problem);
    if (isRemoving(assignment)) return { ...report, problems, selfTests: [] };
    const target = parseTarget(assignment.target);
    if (typeof target !== 'string') await checkStages(assignment, target.engine);
  } catch (error) {
    if (!(error instanceof RunnerFailure)) throw error;
    problems.push(error.message);
  }
  const listedSizes = report.given?.map(({ sizeBytes }) => sizeBytes);
  const sized = { ...assignment, dataset: { ...assignment.dataset, listedSizes } };
  const selfTests = problems.length > 0 ? [] : await selfTest(parts, sized);
  return { ...report, problems, selfTests };
}

async function sentinelProblem(
  { clock, signal }: RunnerParts,
  { sentinel }: Assignment,
  { realPath }: TargetReport,
): Promise<string | undefined> {
  // Where there is no folder, a problem says so already.
  if (sentinel === undefined || realPath === null) return undefined;
  return carryOutSentinel(sentinel, realPath, clock, signal);
}

function isRemoving({ sentinel }: Assignment): boolean {
  return sentinel?.act === 'remove';
}
