import { PlanError, printProblem } from '../../src/controller/shell/plan-error.js';
import { loadPlan } from '../../src/controller/shell/load-plan.js';
import type { LoadedPlan } from '../../src/controller/shell/load-plan.js';
import type { LocatedProblem } from '../../src/controller/shell/config-source.js';
import type { PlanSource } from '../../src/controller/shell/plan-source.js';

/** Loads a config text as `test.yaml` with seed 1 and an empty environment. */
export function planOf(text: string, source: Partial<PlanSource> = {}): LoadedPlan {
  return loadPlan({ file: 'test.yaml', text, env: {}, randomSeed: () => 1, ...source });
}

export const smallConfig = `
target: /mnt/bench
dataset: { files: 8, file_size: 1MiB }
stages:
  - { name: rand-read, mix: read, block_size: 4KiB, duration: 60s }
`;

/** All problems of a config text; empty when it is valid. */
export function errorsIn(
  text: string,
  source: Partial<PlanSource> = {},
): readonly LocatedProblem[] {
  try {
    planOf(text, source);
    return [];
  } catch (error) {
    if (error instanceof PlanError) return error.problems;
    throw error;
  }
}

/** The same as they are printed, with their places. */
export function problemsOf(text: string, source: Partial<PlanSource> = {}): string[] {
  return errorsIn(text, source).map(printProblem);
}
