import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { it } from 'node:test';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const MiB = 1024 ** 2;
const files = { from: 0, to: 4 };

it('prepare, write and put write what compresses and repeats as the plan says', async () => {
  const folder = temporaryFolder();
  const runner = new RunnerProcess();
  try {
    const content = { compress: 2, dedup: 1.5 };
    const dataset = { content, fileSizeBytes: 4 * MiB, own: files, use: files };
    const limited = { durationMs: undefined, threads: 2, blockSizeBytes: 64 * 1024 };
    const stages = [
      stageOf({
        ...limited,
        mix: [{ operation: 'write', weight: 1 }],
        access: 'sequential',
        maxOperations: 256,
      }),
      stageOf({ ...limited, mix: [{ operation: 'put', weight: 1 }], maxOperations: 4 }),
    ];
    const home = path.join(folder.path, 'ds1', '0');
    const below = (name: string): Buffer =>
      Buffer.concat(
        fs
          .readdirSync(path.join(home, name), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => fs.readFileSync(path.join(entry.parentPath, entry.name))),
      );
    runner.prepare(assignmentOf(folder.path, stages, { dataset }));
    await runner.event('ready');
    const prepared = below('data');
    assertReduced(prepared, 'prepared');
    for (const stage of [0, 1]) {
      await runner.start(stage);
      await runner.event('stageResult', (event) => event.stage === stage);
    }
    const rewritten = below('data');
    assert.notDeepEqual(rewritten, prepared);
    assertReduced(rewritten, 'written');
    assertReduced(below('churn'), 'put');
  } finally {
    await runner.kill();
    folder.remove();
  }
});

it('[ENG-03] no block of one agent, of prepare or of any stage, is like another: nothing is there for an array to collapse', async () => {
  const folder = temporaryFolder();
  const runners = [new RunnerProcess(), new RunnerProcess()];
  try {
    const whole = { mix: [{ operation: 'write', weight: 1 }] as const, blockSizeBytes: 65_536 };
    const limits = { threads: 2, durationMs: undefined, maxOperations: 16 };
    const write = stageOf({ ...whole, ...limits, access: 'sequential' });
    const dataset = { fileSizeBytes: 262_144, own: files, use: files };
    const seen = new Set<string>();
    let written = 0;
    const collect = (agent: number): void => {
      for (const file of ['f0', 'f1', 'f2', 'f3']) {
        const data = fs.readFileSync(path.join(folder.path, 'ds1', String(agent), 'data', file));
        for (let at = 0; at < data.length; at += 4096, written++) {
          seen.add(data.subarray(at, at + 4096).toString('base64'));
        }
      }
    };
    const agents = { agentCount: 2, namespace: 'private' } as const;
    for (const [agentIndex, runner] of runners.entries()) {
      const stages = [write, write, write];
      runner.prepare(assignmentOf(folder.path, stages, { ...agents, agentIndex, dataset }));
      await runner.event('ready');
      collect(agentIndex);
      for (const stage of stages.keys()) {
        await runner.start(stage);
        await runner.event('stageResult', (event) => event.stage === stage);
        collect(agentIndex);
      }
    }
    assert.equal(written, 2 * 4 * 256);
    assert.equal(seen.size, written, 'different blocks among all that were written');
  } finally {
    await Promise.all(runners.map((runner) => runner.kill()));
    folder.remove();
  }
});

function assertReduced(data: Buffer, what: string): void {
  assert.equal(data.length, 16 * MiB, what);
  const seen = new Map<string, Buffer>();
  for (let at = 0; at < data.length; at += 4096) {
    const block = data.subarray(at, at + 4096);
    seen.set(createHash('sha256').update(block).digest('base64'), block);
  }
  const dedup = data.length / 4096 / seen.size;
  assert.ok(Math.abs(dedup / 1.5 - 1) < 0.05, `${what}: dedup ${String(dedup)}`);
  const different = Buffer.concat([...seen.values()]);
  const compress = different.length / zlib.gzipSync(different).length;
  assert.ok(Math.abs(compress / 2 - 1) < 0.05, `${what}: compress ${String(compress)}`);
}
