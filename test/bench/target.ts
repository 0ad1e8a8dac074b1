import fs from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../src/shared/kernel/errors.js';

/** `type` of statfs(2). */
const tmpfs = 0x01021994;

/** @returns why `direct` cannot be measured in the folder, in a sentence; undefined when it can */
export function whyNotDirect(folder: string): string | undefined {
  if (fs.statfsSync(folder).type === tmpfs) {
    return `${folder} is on tmpfs, where "direct" measures memory: give --target on a disk`;
  }
  const probe = path.join(folder, 'probe');
  const { O_RDWR, O_CREAT, O_EXCL, O_DIRECT } = fs.constants;
  try {
    fs.closeSync(fs.openSync(probe, O_RDWR | O_CREAT | O_EXCL | O_DIRECT));
    return undefined;
  } catch (error) {
    if (codeOf(error) !== 'EINVAL') throw error;
    return `the file system of ${folder} refuses O_DIRECT: give --target on another`;
  } finally {
    fs.rmSync(probe, { force: true });
  }
}
