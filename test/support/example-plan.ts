import { loadPlan } from '../../src/controller/shell/load-plan.js';
import type { LoadedPlan, PlanSource } from '../../src/controller/shell/load-plan.js';

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
