import { execFileSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import { stageOf } from './runner-process.js';

/** A sentence; undefined when there is one. */
export function whyNoFio(): string | undefined {
  try {
    execFileSync('fio', ['--version'], { stdio: 'pipe' });
    return undefined;
  } catch (thrown) {
    return `no fio on this machine: ${String(thrown)}`;
  }
}

/** Without fio these tests say so and are left out; CI installs it. */
export function lacksFio(t: TestContext): boolean {
  const why = whyNoFio();
  if (why !== undefined) t.skip(why);
  return why !== undefined;
}

/** A stage that fio runs, without a limit. */
export const fioStage = {
  name: 'load',
  threads: 2,
  fsync: 'never',
  iodepth: 4,
  fio: { ioengine: 'libaio' },
};

/** As an agent is given it. */
export const assignedStage = stageOf({ name: 's', fio: {}, durationMs: 5000 });
