import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { preloading } from './rehearsal/play.js';
import { temporaryFolder } from './temporary-folder.js';

/** A disk for a controller's results that can be made to hang: every write to it waits until it is thawed. */
export interface FreezingDisk {
  readonly path: string;
  /** Of the controller that writes to it. */
  readonly env: NodeJS.ProcessEnv;
  freeze(): Promise<unknown>;
  thaw(): Promise<unknown>;
}

/** The end of its input, which is that of the test, thaws and unmounts: nobody is left waiting in the kernel. */
const keeper = `
mkfs.ext4 -q "$1" && mount -o loop "$1" "$2" && echo mounted || exit 1
while read -r what; do fsfreeze "--$what" "$2" && echo "$what"; done
fsfreeze --unfreeze "$2" 2>/dev/null; umount --lazy "$2"`;

/** An ext4 of its own; where this process may not mount or freeze one, a folder whose writer is made to wait. */
export async function freezingDisk(t: TestContext): Promise<FreezingDisk> {
  const folder = temporaryFolder();
  const image = path.join(folder.path, 'image');
  const disk = path.join(folder.path, 'disk');
  mkdirSync(disk);
  writeFileSync(image, '');
  truncateSync(image, 64 * 2 ** 20);
  const child = spawn('sh', ['-c', keeper, 'keeper', image, disk], { detached: true });
  const ended = once(child, 'close');
  t.after(async () => {
    child.stdin.end();
    await ended;
    folder.remove();
  });
  const answer = async (): Promise<string> => {
    const [words] = (await Promise.race([once(child.stdout, 'data'), ended])) as [unknown];
    return String(words).trim();
  };
  const tell = async (what: string): Promise<boolean> => {
    child.stdin.write(`${what}\n`);
    return (await answer()) === what;
  };
  const isReal =
    (await answer()) === 'mounted' && (await tell('freeze')) && (await tell('unfreeze'));
  if (!isReal) {
    t.diagnostic(
      'no file system may be frozen here: the writes of the controller are held instead',
    );
    return heldWrites(disk, path.join(folder.path, 'hung'));
  }
  return {
    path: disk,
    env: {},
    freeze: () => tell('freeze'),
    thaw: () => tell('unfreeze'),
  };
}

function heldWrites(disk: string, flag: string): FreezingDisk {
  return {
    path: disk,
    env: preloading('hung-disk', { MUSTER_TEST_HUNG: flag }),
    freeze: () => writeFile(flag, ''),
    thaw: () => rm(flag),
  };
}
