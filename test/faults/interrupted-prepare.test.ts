import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { codeOf } from '../../src/shared/kernel/errors.js';
import { eventually } from '../support/eventually.js';
import { deadMansSwitchMs, Fleet, holdWork, workloadProcess } from '../support/fleet.js';
import type { FleetRun } from '../support/fleet-run.js';
import { filesBelow } from '../support/temporary-folder.js';

const files = 30_000;
const sizeBytes = 4096;
const dataset = { name: 'kept', files, file_size: sizeBytes, content: 'zero' };

interface Manifest {
  readonly complete: [number, number][];
}

function manifestOf(folder: string): string | undefined {
  if (!fs.existsSync(folder)) return undefined;
  const name = filesBelow(folder).find((file) => /manifest[^/]*\.json$/.test(file));
  return name === undefined ? undefined : path.join(folder, name);
}

/** What the manifest says is complete: the indexes of those files. */
function listed(folder: string): number[] {
  const manifest = manifestOf(folder);
  if (manifest === undefined) return [];
  const { complete } = JSON.parse(fs.readFileSync(manifest, 'utf8')) as Manifest;
  return complete.flatMap(([from, to]) => Array.from({ length: to - from }, (_, k) => from + k));
}

/** As a crash in the middle of a file leaves it: half written, and not in the manifest. */
function tear(folder: string): { readonly index: number; readonly file: string } {
  const manifest = manifestOf(folder) ?? '';
  const { complete, ...rest } = JSON.parse(fs.readFileSync(manifest, 'utf8')) as Manifest;
  const last = complete.at(-1) ?? [0, 0];
  const index = last[1] - 1;
  last[1] = index;
  fs.writeFileSync(manifest, JSON.stringify({ ...rest, complete }));
  const name = filesBelow(folder).find((file) => file.endsWith(`/f${index}`)) ?? '';
  const file = path.join(folder, name);
  fs.truncateSync(file, 10);
  return { index, file };
}

/** Inode and time of the last change of each file, by its index. */
function identities(folder: string, indexes: readonly number[]): Map<number, string> {
  const wanted = new Set(indexes);
  const found = new Map<number, string>();
  for (const name of filesBelow(folder)) {
    const index = Number(/\/f(\d+)$/.exec(name)?.[1] ?? NaN);
    if (!wanted.has(index)) continue;
    const { ino, mtimeNs } = fs.statSync(path.join(folder, name), { bigint: true });
    found.set(index, `${String(ino)} ${String(mtimeNs)}`);
  }
  return found;
}

test('[LINK-06] a prepare that is interrupted goes on where it was: files that are listed are not written again, others are', async (t) => {
  const fleet = await Fleet.start(t, { count: 1 });
  const folder = path.join(fleet.agent(0).target, 'kept');
  const prepare = (): FleetRun => fleet.run({ command: 'prepare', dataset });
  /** Until more of the files are listed than before. */
  const progress = async (than: number): Promise<number> =>
    eventually('more files are complete', 90_000, () => {
      const count = listed(folder).length;
      return count > than ? count : undefined;
    });

  const interruptions: ((run: FleetRun) => Promise<void>)[] = [
    // The workload process.
    async (run) => {
      process.kill(await workloadProcess(fleet.agent(0), run), 'SIGKILL');
      await run.exits(3);
    },
    // The agent, and its workload process with it.
    async (run) => {
      fleet.agent(0).program.kill('SIGKILL');
      await run.exits(3);
      await fleet.restart(0);
    },
    // The controller; the work is held, or it would be done before the agent gives up.
    async (run) => {
      await holdWork(fleet.agent(0), run);
      run.program.kill('SIGKILL');
      await run.program.ended;
      await fleet.idle(fleet.agent(0), deadMansSwitchMs);
    },
    // The user, who is told what is left; held for the same reason.
    async (run) => {
      await holdWork(fleet.agent(0), run);
      run.program.kill('SIGINT');
      await run.exits(130);
      assert.match(run.said, /The dataset stays on agent-1: .* "bench-controller cleanup" removes/);
    },
  ];
  const kept = new Map<number, string>();
  let count = 0;
  for (const interrupt of interruptions) {
    // A fast machine is done before all of them have had their turn.
    if (count >= files / 2) break;
    const run = prepare();
    count = await progress(count);
    try {
      await interrupt(run);
    } catch (thrown) {
      // It was done before its process could be stopped.
      if (codeOf(thrown) !== 'ESRCH') throw thrown;
      await run.exits(0);
    }
    await fleet.idle(fleet.agent(0));
    count = listed(folder).length;
    for (const [index, identity] of identities(folder, listed(folder))) {
      assert.equal(kept.get(index) ?? identity, identity, `file ${index} was written again`);
      kept.set(index, identity);
    }
  }
  assert.ok(kept.size > 0);
  const torn = tear(folder);
  kept.delete(torn.index);

  await prepare().exits(0);
  assert.equal(listed(folder).length, files);
  const now = identities(folder, [...kept.keys()]);
  assert.deepEqual(now, kept);
  assert.equal(fs.statSync(torn.file).size, sizeBytes);
});
