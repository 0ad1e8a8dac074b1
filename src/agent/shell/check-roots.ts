import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../../shared/kernel/clock.js';
import { MusterError, codeOf, reasonOf } from '../../shared/kernel/errors.js';
import { exitCodes } from '../../shared/model/outcome.js';

/** A folder that does not answer for this long is on a hung mount. */
const patienceMs = 5_000;

/**
 * Makes every `--root` absolute and looks once, before the agent serves, that it is a folder or a block device: a misspelt one would
 * otherwise be found out by the first run. Later only the workload process goes near it.
 * @throws MusterError naming the one that is neither, or does not answer
 */
export async function checkRoots(roots: readonly string[], clock: Clock): Promise<string[]> {
  return Promise.all(roots.map((root) => checkRoot(path.resolve(root), clock)));
}

async function checkRoot(root: string, clock: Clock): Promise<string> {
  const wrong = (why: string): MusterError =>
    new MusterError(`--root ${root} ${why}`, {
      exitCode: exitCodes.usage,
      hint: 'Name folders (or block devices) that exist: runs may only use targets inside them.',
    });
  let cancel = (): void => undefined;
  const hung = new Promise<never>((_, reject) => {
    cancel = clock.after(patienceMs, () => {
      reject(wrong(`did not answer within ${String(patienceMs / 1000)}s (a hung mount?)`));
    });
  });
  try {
    const found = await Promise.race([stat(root), hung]);
    if (!found.isDirectory() && !found.isBlockDevice()) throw wrong('is not a folder or device');
    return root;
  } catch (thrown) {
    if (thrown instanceof MusterError) throw thrown;
    if (codeOf(thrown) === 'ENOENT') throw wrong('does not exist');
    throw wrong(`cannot be used: ${reasonOf(thrown)}`);
  } finally {
    cancel();
  }
}
