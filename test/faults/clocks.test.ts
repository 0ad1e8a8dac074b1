import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Fleet } from '../support/fleet.js';
import { filesBelow } from '../support/temporary-folder.js';

const preload = new URL('../../src/controller/shell/rehearsal/shifted-clock.js', import.meta.url)
  .href;
const shiftsMs = [-3500, 0, 3500];

/** Far below the 3.5 s that the clocks are apart, and what a loaded machine may be late by. */
const togetherMs = 1500;

test('[RUN-20] [PERF-08] agents whose clocks are 3.5 s off either way, and their wall clocks an hour, start together', async (t) => {
  const fleet = await Fleet.start(t, {
    env: (index) => ({
      NODE_OPTIONS: `--import=${preload}`,
      MUSTER_CLOCK_SHIFT_MS: String(shiftsMs[index]),
    }),
  });
  const run = fleet.run({
    stages: [{ name: 'one', mix: 'write', max_operations: 3, fsync: 'never' }],
    dataset: { files: 1, file_size: '4KiB', keep: true },
  });
  await run.exits(0);

  // One write each: when the file system, whose clock is one and true, says it was.
  const writtenMs = fleet.agents.map(({ target }) => {
    const files = filesBelow(target).filter(
      (file) => fs.statSync(path.join(target, file)).size === 4096,
    );
    return Math.max(...files.map((file) => fs.statSync(path.join(target, file)).mtimeMs));
  });
  const apartMs = Math.max(...writtenMs) - Math.min(...writtenMs);
  assert.ok(apartMs < togetherMs, `written ${apartMs} ms apart`);
  // The seconds between prepare and start would hide a write that never came.
  for (const { id } of fleet.agents) assert.equal(run.operationsOf(id), 1);

  const offsets = run.manifest().agents.map(({ clock }) => clock.at(-1)!);
  for (const [index, { offset_ns, bound_ns }] of offsets.entries()) {
    const errorMs = Math.abs(Number(offset_ns) / 1e6 - shiftsMs[index]!);
    assert.ok(
      errorMs <= bound_ns / 1e6 + 1,
      `offset of agent ${index}: ${offset_ns} ± ${bound_ns}`,
    );
  }
  const start = run.summary().stages[0]?.start;
  assert.ok(start && start.spread_ns < togetherMs * 1e6 && start.bound_ns > 0);
});
