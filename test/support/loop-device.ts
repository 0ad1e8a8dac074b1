import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import type { TestContext } from 'node:test';
import { reasonOf } from '../../src/shared/kernel/errors.js';

/**
 * A block device that is a file in `folder`, gone after the test; undefined (and the test says so) where this process may
 * not make one.
 */
export function loopDevice(
  t: TestContext,
  file: string,
  bytes: number,
  ...options: readonly string[]
): string | undefined {
  fs.writeFileSync(file, '');
  fs.truncateSync(file, bytes);
  let device: string;
  try {
    device = execFileSync('losetup', ['--find', '--show', ...options, file], { stdio: 'pipe' })
      .toString()
      .trim();
  } catch (thrown) {
    t.skip(`no loop device to be had: ${reasonOf(thrown).split('\n')[0] ?? ''}`);
    return undefined;
  }
  t.after(() => {
    execFileSync('losetup', ['--detach', device]);
  });
  return device;
}
