/**
 * The rows of `npm run bench` that have fio on the other side, each once and short, with generous bounds: an alarm for what is
 * several times too slow, and a test that the rows can be measured.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { deepRead, directRead, onOneFile, sequential } from '../../../bench/file-rows.js';
import type { FileRow } from '../../../bench/file-rows.js';
import { measurePairs } from '../../../bench/measure.js';
import { measureSmallFiles } from '../../../bench/small-file-rows.js';
import type { SmallFileOperation } from '../../../bench/small-file-rows.js';
import { whyNotDirect } from '../../../bench/target.js';
import { mountSmallDisk } from '../../../../src/controller/shell/rehearsal/small-disk.js';
import { lacksFio } from '../../../support/fio.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

/** Others may take the processor from either side at any time: one pair of so many that is good enough is enough. */
const mostPairs = 3;
const files = 20_000;

async function assertOnce(
  t: TestContext,
  least: number,
  pair: () => Promise<number | undefined>,
): Promise<void> {
  const ratios: number[] = [];
  while (ratios.length < mostPairs && ratios.every((ratio) => ratio < least)) {
    ratios.push((await pair()) ?? 0);
  }
  t.diagnostic(JSON.stringify(ratios));
  assert.ok(Math.max(...ratios) >= least, JSON.stringify(ratios));
}

async function assertRow(t: TestContext, row: FileRow, least: number): Promise<void> {
  if (lacksFio(t)) return;
  const folder = temporaryFolder();
  t.after(folder.remove);
  const noDirect = row.stage.direct === true ? whyNotDirect(folder.path) : undefined;
  if (noDirect !== undefined) {
    t.skip(noDirect);
    return;
  }
  const options = { target: folder.path, pairs: 1, seconds: 1, fileSizeBytes: 2 ** 25 };
  await onOneFile(options, row, ({ ours, theirs }) =>
    assertOnce(t, least, async () => {
      const [pair] = await measurePairs(1, ours, theirs);
      return pair && pair.ours.perSecond / pair.theirs.perSecond;
    }),
  );
}

test('[PERF-02] 8 threads of direct random reads: at least 0.3 of what fio reads', (t) =>
  assertRow(t, directRead(8), 0.3));

// Where libuv has no io_uring, or its polling thread no core, this is far below the floor of the row.
test('[PERF-03] direct random reads at depth 32: at least 0.1 of what fio reads with io_uring', (t) =>
  assertRow(t, deepRead(false), 0.1));

for (const operation of ['read', 'write'] as const) {
  test(`[PERF-04] sequential ${operation}s of 1 MiB: at least 0.3 of fio's`, (t) =>
    assertRow(t, sequential(operation, false), 0.3));
}

const smallFiles: Readonly<Record<SmallFileOperation, number>> = {
  put: 0.25,
  get: 0.25,
  stat: 0.2,
  delete: 0.25,
};

for (const operation of ['put', 'get', 'stat', 'delete'] as const) {
  const least = smallFiles[operation];
  test(`[PERF-05] ${operation} of small files: at least ${String(least)} of fio's`, async (t) => {
    if (lacksFio(t)) return;
    const folder = temporaryFolder();
    // On a disk fio's own time for it may be twenty times another's.
    const memory = await mountSmallDisk(path.join(folder.path, 'memory'), 'size=256m,nr_inodes=0');
    t.after(async () => {
      if (!('why' in memory)) await memory.unmount();
      folder.remove();
    });
    const home = 'why' in memory ? folder.path : memory.path;
    const work = { folder: home, operation, content: 'random', files } as const;
    await assertOnce(t, least, async () => {
      const [pair] = await measureSmallFiles(1, work);
      return pair && pair.ours / pair.theirs;
    });
  });
}
