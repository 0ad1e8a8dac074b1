import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '../../../shared/kernel/errors.js';

export interface SmallDisk {
  readonly path: string;
  /** Takes what is left of it. */
  fill(): Promise<void>;
  unmount(): Promise<void>;
}

// Waits for the end of its input, which comes however this process ends: no mount is left behind.
const keeper = `
mount -t tmpfs -o "$1" muster-small-disk "$0" || exit 1
echo mounted
cat > /dev/null
umount -l "$0"`;

/** Until nothing more is taken: how much that is others change meanwhile. */
async function fill(file: string): Promise<void> {
  const filler = await open(file, 'a');
  try {
    for (;;) await filler.write(Buffer.alloc(1 << 20));
  } catch (thrown) {
    if (codeOf(thrown) !== 'ENOSPC') throw thrown;
  } finally {
    await filler.close();
  }
}

/**
 * A small file system in memory, or the reason why this process may not make one.
 * @param path a folder that is made if need be; its content is hidden meanwhile
 * @param options of mount, such as `size=20m`
 */
export async function mountSmallDisk(
  path: string,
  options: string,
): Promise<SmallDisk | { readonly why: string }> {
  await mkdir(path, { recursive: true });
  const child = spawn('sh', ['-c', keeper, path, options], { detached: true });
  let complaint = '';
  child.stderr.on('data', (data: Buffer) => (complaint += data.toString()));
  const ended = once(child, 'close');
  const mounted = once(child.stdout, 'data').then(() => true);
  if (!(await Promise.race([mounted, ended.then(() => false)]))) {
    return { why: `mounting a tmpfs is not permitted here (${complaint.trim()})` };
  }
  return {
    path,
    fill: () => fill(join(path, 'filler')),
    unmount: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
