import fs from 'node:fs';
import { codeOf } from '../../../shared/kernel/errors.js';
import { historyName } from '../dataset-layout.js';
import { failureFrom } from '../failure.js';

/** From now on nobody knows what was written last, whatever happens to this host. In the working directory. */
export function forgetHistory(): void {
  try {
    fs.unlinkSync(historyName);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw failureFrom(error, `cannot remove ${historyName}, which is about to be wrong`);
  }
  const folder = fs.openSync('.', fs.constants.O_RDONLY);
  try {
    fs.fsyncSync(folder);
  } finally {
    fs.closeSync(folder);
  }
}
