import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Clock } from '../../../shared/kernel/clock.js';
import { rehearse, type Rehearsed } from './rehearse.js';
import type { Scenario } from './scenario.js';

export interface RehearsalRequest {
  readonly scenarios: readonly Scenario[];
  readonly jobs: number;
  /** Leave everything in place: configs, results, logs. */
  readonly keep: boolean;
  readonly clock: Clock;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
  /** Where all of it is: a new folder. */
  readonly placed: (folder: string) => void;
  readonly judged: (scenario: Scenario, outcome: Rehearsed) => void;
}

/**
 * Plays the scenarios, each in a folder of its own below a new one.
 * @throws Error when a rehearsal could not be set up, or `signal` ended it
 */
export async function rehearseAll(request: RehearsalRequest): Promise<void> {
  const { scenarios, clock, env, signal } = request;
  const parent = await mkdtemp(join(tmpdir(), 'muster-selftest-'));
  request.placed(parent);
  const limit = pLimit(request.jobs);
  const one = async (scenario: Scenario): Promise<void> => {
    signal.throwIfAborted();
    const folder = join(parent, scenario.name);
    await mkdir(folder);
    request.judged(scenario, await rehearse(scenario, { folder, clock, env, signal }));
  };
  const outcomes = await Promise.allSettled(scenarios.map((scenario) => limit(one, scenario)));
  if (!request.keep) await rm(parent, { recursive: true, force: true });
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
