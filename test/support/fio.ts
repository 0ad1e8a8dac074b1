import { execFileSync } from 'node:child_process';
import type { TestContext } from 'node:test';
import type { StageAssignment } from '../../src/shared/model/assignment.js';

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
export const assignedStage: StageAssignment = {
  index: 0,
  name: 's',
  mix: [{ operation: 'read', weight: 1 }],
  blockSizeBytes: 4096,
  blockSizes: undefined,
  access: 'random',
  verify: false,
  threads: 2,
  direct: false,
  noatime: false,
  fsync: 'never',
  iodepth: 1,
  sync: 'none',
  fdatasync: false,
  dropCache: false,
  fio: {},
  rate: undefined,
  arrival: 'constant',
  thinkTimeNs: 0,
  warmupMs: 0,
  maxErrorRate: undefined,
  stopOn: [],
  durationMs: 5000,
  maxOperations: undefined,
  maxBytes: undefined,
};
