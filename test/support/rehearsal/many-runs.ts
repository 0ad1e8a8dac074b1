import assert from 'node:assert/strict';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { RehearsalAgents } from '../../../src/controller/shell/rehearsal/rehearsal-agents.js';
import { RehearsedRun } from '../../../src/controller/shell/rehearsal/rehearsed-run.js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { filesBelow, temporaryFolder } from '../temporary-folder.js';
import { figuresOf, type Figures } from './process-figures.js';

/** An agent after each of its runs. */
export type History = readonly Figures[];

/** The same two agents serve `count` runs, one after the other; what each agent has after each of them. */
export async function manyRuns(t: TestContext, count: number): Promise<readonly History[]> {
  const { path: folder, remove } = temporaryFolder();
  const common = { clock: systemClock, env: process.env };
  const agents = await RehearsalAgents.start({ ...common, count: 2, folder });
  t.after(async () => {
    await agents.stop();
    remove();
  });
  const histories: Figures[][] = agents.all.map(() => []);
  for (let number = 1; number <= count; number++) {
    const home = path.join(folder, `run-${number}`);
    const run = await RehearsedRun.start({ ...common, folder: home, config: config(agents) });
    const { exitCode } = await run.end(120_000);
    assert.equal(exitCode, 0, `run ${number}: ${run.process.stderr}`);
    assert.deepEqual(await agents.loadsLeft(30_000), [], `workload processes after run ${number}`);
    const free = await agents.freeAfter(30_000);
    assert.ok(!Object.values(free).includes(undefined), `agents free after run ${number}`);
    for (const [index, { process, target }] of agents.all.entries()) {
      assert.deepEqual(filesBelow(target), [], `files after run ${number}`);
      histories[index]?.push(figuresOf(process.pid));
    }
  }
  return histories;
}

/** A connection that has just been closed may still be there when it is looked. */
const slack = { handles: 2, threads: 0, children: 0 };

/**
 * Handles, threads and children are as after the first runs; memory has stopped growing: the least of the last quarter is
 * not `slackBytes` above the most of the second one. The first quarter is for caches to fill.
 */
export function assertNoGrowth(history: History, slackBytes: number): void {
  const quarter = Math.floor(history.length / 4);
  const [second, last] = [history.slice(quarter, 2 * quarter), history.slice(-quarter)];
  for (const figure of ['handles', 'threads', 'children'] as const) {
    const before = Math.max(...second.map((one) => one[figure]));
    const after = Math.min(...last.map((one) => one[figure]));
    assert.ok(after <= before + slack[figure], `${figure}: ${before}, at the end ${after}`);
  }
  const most = Math.max(...second.map(({ residentBytes }) => residentBytes));
  const least = Math.min(...last.map(({ residentBytes }) => residentBytes));
  assert.ok(least <= most + slackBytes, `memory: ${most}, at the end ${least} bytes`);
}

function config(agents: RehearsalAgents): object {
  return {
    name: 'again',
    agents: agents.all.map(({ id, port, target }) => ({
      id,
      address: `127.0.0.1:${port}`,
      target,
    })),
    dataset: { name: 'again', files: 2, file_size: '64KiB' },
    stages: [{ name: 'load', mix: 'read', block_size: '4KiB', duration: '100ms' }],
  };
}
