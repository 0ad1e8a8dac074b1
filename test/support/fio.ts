import { execFileSync } from 'node:child_process';
import type { TestContext } from 'node:test';

/** Without fio these tests say so and are left out; CI installs it. */
export function lacksFio(t: TestContext): boolean {
  try {
    execFileSync('fio', ['--version'], { stdio: 'pipe' });
    return false;
  } catch (thrown) {
    t.skip(`no fio on this machine: ${String(thrown)}`);
    return true;
  }
}

/** A stage that fio runs, without a limit. */
export const fioStage = {
  name: 'load',
  threads: 2,
  fsync: 'never',
  iodepth: 4,
  fio: { ioengine: 'libaio' },
};
