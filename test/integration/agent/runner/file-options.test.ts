import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import type { StageAssignment } from '../../../../src/shared/model/assignment.js';
import type { OperationKind } from '../../../../src/shared/model/operation.js';
import { dropCache } from '../../../../src/agent/runner/drop-cache.js';
import { Histogram } from '../../../../src/shared/metrics/histogram.js';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

/** A runner that does not outlive its test. */
function runnerFor(t: TestContext, asynchronous = 0): RunnerProcess {
  const runner = new RunnerProcess(asynchronous);
  t.after(() => runner.kill());
  return runner;
}

/** A target that the test leaves nothing of. */
function targetFor(t: TestContext): string {
  const folder = temporaryFolder();
  t.after(folder.remove);
  return folder.path;
}

/** What libuv does files with, as the kernel and its version have it. */
function expectedMechanism(): RegExp {
  const isNode20 = process.version.startsWith('v20.');
  const disabled = '/proc/sys/kernel/io_uring_disabled';
  const allowed = fs.existsSync(disabled) && fs.readFileSync(disabled, 'utf8').trim() === '0';
  return isNode20 && allowed
    ? /^(io_uring|thread pool \(16\)) iodepth 8/u
    : /^thread pool \(16\) /u;
}

describe('a stage with iodepth', () => {
  it('does all its operations, and the results say by what', async (t) => {
    const stages = (['read', 'write'] as const).map((operation) =>
      stageOf({
        mix: [{ operation, weight: 1 }],
        threads: 2,
        iodepth: 8,
        durationMs: undefined,
        maxOperations: 3001,
      }),
    );
    const runner = runnerFor(t, 16);
    const results = await runner.run(assignmentOf(targetFor(t), stages));
    for (const { operations, mechanism, endedBy } of results) {
      assert.equal(endedBy, 'operations');
      assert.equal(operations[0]?.count, 3001);
      assert.equal(operations[0].bytes, 3001 * 4096);
      assert.match(mechanism, expectedMechanism());
    }
  });

  it('[MEAS-06] keeps a schedule, with a warm-up and response times', async (t) => {
    const rate = { unit: 'operations', steps: [{ from: 2000, to: 2000 }] } as const;
    // More operations than come in that time: a duration that is ignored fails the test instead of never ending it.
    const limits = { durationMs: 1000, maxOperations: 10_000 };
    const paced = { threads: 2, iodepth: 8, ...limits, warmupMs: 500 };
    const stages = [
      stageOf({ ...paced, rate }),
      stageOf({ ...paced, index: 1, rate, mix: [{ operation: 'write', weight: 1 }] }),
      stageOf({ ...paced, index: 2, thinkTimeNs: 50e6 }),
      stageOf({ ...paced, index: 3, rate, arrival: 'poisson' }),
    ];
    const runner = runnerFor(t, 16);
    const results = await runner.run(assignmentOf(targetFor(t), stages));
    for (const { operations, warmup, endedBy, mechanism, abandoned } of results.slice(0, 2)) {
      assert.match(mechanism, expectedMechanism());
      assert.deepEqual([endedBy, abandoned], ['duration', 0]);
      const [stats] = operations;
      const [warm] = warmup;
      assert.ok(stats && warm);
      assert.equal(stats.count + stats.unissuedSchedules, 2000);
      assert.equal(warm.count + warm.unissuedSchedules, 1000);
      assert.equal(Histogram.decode(stats.response).count, stats.count);
    }
    const thought = results[2]?.operations[0];
    assert.ok(thought && thought.count > 0);
    assert.ok(thought.count <= 16 * 21, `16 places, 20 times a second: ${String(thought.count)}`);
    // With this seed, as with nearly every other, not the mean itself; five standard deviations from it is far.
    const random = results[3]?.operations[0];
    const arrived = (random?.count ?? 0) + (random?.unissuedSchedules ?? 0);
    assert.notEqual(arrived, 2000);
    assert.ok(Math.abs(arrived - 2000) < 5 * Math.sqrt(2000), `poisson: ${String(arrived)}`);
  });

  it('[ENG-01] says what did the I/O of a stage that was stopped in its warm-up', async (t) => {
    const stages = [
      stageOf({ threads: 1, iodepth: 4, durationMs: 300 }),
      stageOf({ index: 1, threads: 1, iodepth: 4, warmupMs: 600_000, durationMs: 600_000 }),
    ];
    const runner = runnerFor(t, 4);
    runner.prepare(assignmentOf(targetFor(t), stages));
    await runner.start(0);
    const whole = await runner.event('stageResult');
    await runner.start(1);
    await runner.event('started', ({ stage }) => stage === 1);
    runner.tell({ kind: 'abort', reason: 'test', graceMs: 600_000 });
    const cut = await runner.event('stageResult', ({ stage }) => stage === 1);
    assert.equal(cut.operations[0]?.count ?? 0, 0);
    assert.ok((cut.warmup[0]?.count ?? 0) > 0);
    assert.equal(cut.mechanism, whole.mechanism);
    await runner.event('aborted');
  });

  it('[RUN-09] is aborted at once while it waits for a schedule', async (t) => {
    const rate = { unit: 'operations', steps: [{ from: 1 / 600, to: 1 / 600 }] } as const;
    const stage = stageOf({ threads: 1, iodepth: 4, rate, durationMs: 600_000 });
    const runner = runnerFor(t);
    runner.prepare(assignmentOf('null:', [stage]));
    await runner.start(0);
    await runner.event('started');
    runner.tell({ kind: 'abort', reason: 'test', graceMs: 600_000 });
    const { endedBy, operations } = await runner.event('stageResult');
    assert.equal(endedBy, 'aborted');
    assert.equal(operations[0]?.count, 1);
    await runner.event('aborted');
  });

  it('verifies what many operations at once read and write, and names the one wrong block', async (t) => {
    const target = targetFor(t);
    const rate = { unit: 'operations', steps: [{ from: 2000, to: 2000 }] } as const;
    const deep = { threads: 2, iodepth: 8, verify: true, durationMs: undefined };
    const mix = [
      { operation: 'read', weight: 1 },
      { operation: 'write', weight: 1 },
    ] as const;
    const all = { ...deep, access: 'shuffled', maxOperations: 128 } as const;
    const stages = [
      stageOf({ ...deep, mix, maxOperations: 2000 }),
      stageOf({ ...deep, mix, index: 1, rate, maxOperations: 500 }),
      // Two writes of a block at once leave it open which was the last: here each block is written by one alone.
      stageOf({ ...all, index: 2, mix: [{ operation: 'write', weight: 1 }] }),
      stageOf({ ...all, index: 3 }),
    ];
    const first = runnerFor(t, 16);
    const written = await first.run(assignmentOf(target, stages, { dataset: { verify: true } }));
    for (const { operations } of written) {
      for (const { errors } of operations) assert.deepEqual(errors, []);
    }
    const file = path.join(target, 'ds1/0/data/f3');
    const bytes = fs.readFileSync(file);
    bytes[9000] = (bytes[9000] ?? 0) ^ 1;
    fs.writeFileSync(file, bytes);
    const second = runnerFor(t, 16);
    const dataset = { verify: true, skipPrepare: true };
    const [read] = await second.run(assignmentOf(target, [stageOf(all)], { dataset }));
    assert.deepEqual(read?.operations[0]?.errors, [{ code: 'verify', count: 1 }]);
    assert.equal(read.operations[0].count, 127);
    assert.match(
      read.warnings.join(),
      /^verify: stage "stage": data\/f3, offset 8192: expected generation \d+ of its block, found damage: 1 wrong byte, the first at \+808: /u,
    );
  });

  it('falls back to a pool of threads where there is no io_uring, and says so', async (t) => {
    const stage = stageOf({ iodepth: 4, threads: 1, durationMs: undefined, maxOperations: 500 });
    // No ring for this process: its environment says that it has no asynchronous stage.
    const runner = runnerFor(t, 0);
    const [result] = await runner.run(assignmentOf(targetFor(t), [stage]));
    assert.equal(result?.mechanism, 'thread pool (4) iodepth 4');
    assert.equal(result.operations[0]?.count, 500);
  });

  it('[RPC-08] has thousands of operations in flight on two threads', async (t) => {
    const stage = stageOf({ threads: 2, iodepth: 2048, durationMs: 2500 });
    const runner = runnerFor(t);
    const running = runner.run(assignmentOf('null:', [stage]));
    const busy = await runner.event('report', ({ inFlight }) => inFlight > 2048);
    assert.ok(busy.inFlight <= 4096);
    const [result] = await running;
    assert.equal(result?.abandoned, 0);
    assert.deepEqual(result.operations[0]?.errors, []);
    const tasks = fs.readdirSync(`/proc/${String(runner.child.pid)}/task`).length;
    assert.ok(tasks < 40, `${String(tasks)} threads`);
  });
});

describe('a stage that reads', () => {
  const did = (...operations: OperationKind[]): StageAssignment =>
    stageOf({
      mix: operations.map((operation) => ({ operation, weight: 1 })),
      durationMs: undefined,
      maxOperations: 10,
    });

  it('[ENG-03] refuses a file with holes, in blocks or as a whole; what does not read takes it; prepare makes it anew', async (t) => {
    const target = targetFor(t);
    const first = runnerFor(t);
    first.prepare(assignmentOf(target, [], { mode: 'prepare' }));
    await first.event('prepared');
    const holed = path.join(target, 'ds1/0/data/f3');
    fs.truncateSync(holed, 4096);
    fs.truncateSync(holed, 65_536);
    const kept = { dataset: { skipPrepare: true } };
    const refusal = async (operation: OperationKind): Promise<string> => {
      const one = runnerFor(t);
      one.prepare(assignmentOf(target, [did('stat', operation)], kept));
      const { code, message } = await one.failure();
      return `${code}: ${message}`;
    };
    const words =
      'dataset: dataset "ds1": data/f3 has holes: 4096 of its 65536 bytes are on the storage. Reading holes measures nothing: write the whole file first, or prepare the dataset anew';
    assert.equal(await refusal('get'), words);
    assert.equal(await refusal('read'), words);
    await runnerFor(t).run(assignmentOf(target, [did('stat', 'write')], kept));
    await runnerFor(t).run(assignmentOf(target, [did('get')]));
    assert.equal(fs.statSync(holed).blocks * 512, 65_536);
  });

  it('[ENG-03] refuses what the stages before have left holes in', async (t) => {
    const runner = runnerFor(t);
    // All blocks but one, which is not the last: the size is right.
    const most = { ...did('write'), access: 'shuffled', maxOperations: 15, threads: 1 } as const;
    const dataset = { prepare: 'none', use: { from: 0, to: 1 }, own: { from: 0, to: 1 } } as const;
    const stages = [most, { ...did('get'), index: 1 }];
    runner.prepare(assignmentOf(targetFor(t), stages, { dataset, seed: 7 }));
    await runner.start(0);
    const { code, message } = await runner.failure();
    assert.equal(code, 'dataset');
    assert.match(
      message,
      /^stage "stage" would read what no stage has written \(dataset "ds1": data\/f0 has holes: 61440 of its 65536 bytes are on the storage\./u,
    );
  });
});

describe('drop_cache', () => {
  it('takes the files out of the page cache before the stage, and says what it could do', async (t) => {
    const target = targetFor(t);
    const isOnDisk = !['tmpfs', 'ramfs'].includes(
      execFileSync('stat', ['-f', '-c', '%T', target]).toString().trim(),
    );
    if (!isOnDisk || !has('fincore')) {
      t.skip('needs fincore, and a temporary folder that is not in memory');
      return;
    }
    const read = { durationMs: undefined, maxOperations: 1, threads: 1 };
    const stages = [false, true].map((dropCache) => stageOf({ ...read, dropCache }));
    const runner = runnerFor(t);
    runner.prepare(assignmentOf(target, stages));
    await runner.start(0);
    const before = cachedBytes(target);
    await runner.event('ready', ({ stage }) => stage === 1);
    const after = cachedBytes(target);
    await runner.start(1);
    const { mechanism, warnings } = await runner.event('stageResult', ({ stage }) => stage === 1);
    assert.ok(after < before, `${String(after)} of ${String(before)} bytes`);
    assert.match(mechanism, /^psync; 8 of 8 files dropped from the page cache, \d+ bytes of them/u);
    assert.deepEqual(warnings, []);
  });

  it('[MEAS-05] takes out what the stage reads: with shift the files of the neighbour', async (t) => {
    const target = targetFor(t);
    const calls = path.join(target, 'calls');
    const dd = path.join(target, 'bin', 'dd');
    fs.mkdirSync(path.dirname(dd));
    fs.writeFileSync(dd, `#!/bin/sh\necho "$PWD $*" >> "${calls}"\n`, { mode: 0o755 });
    const searched = process.env['PATH'];
    process.env['PATH'] = `${path.dirname(dd)}:${searched ?? ''}`;
    t.after(() => (process.env['PATH'] = searched));
    // Only one of them drops anything.
    const both = [true, false].map((dropCache, agentIndex) => {
      const runner = runnerFor(t);
      const stages = [stageOf({ shift: 1, dropCache })];
      runner.prepare(assignmentOf(target, stages, { agentIndex, agentCount: 2 }));
      return runner;
    });
    for (const runner of both) await runner.event('ready');
    const dropped = fs.readFileSync(calls, 'utf8').trim().split('\n').sort();
    const expected = Array.from(
      { length: 8 },
      (_, i) => `${target}/ds1/0 if=../1/data/f${String(i)} iflag=nocache count=0 status=none`,
    );
    assert.deepEqual(dropped, expected);
  });

  it('uses the kernel’s switch of the whole host once data is forced out, and goes file by file where it cannot', async (t) => {
    const folder = targetFor(t);
    const [file, hostSwitch] = ['data', 'switch'].map((name) => path.join(folder, name));
    assert.ok(file !== undefined && hostSwitch !== undefined);
    fs.writeFileSync(file, Buffer.alloc(65_536, 7));
    fs.writeFileSync(hostSwitch, '');
    const { signal } = new AbortController();
    const all = await dropCache([file], signal, hostSwitch);
    assert.match(
      all.words,
      /^the host's page cache dropped by the kernel's switch, (\d+ bytes|not)/u,
    );
    assert.deepEqual(all.warnings, []);
    assert.equal(fs.readFileSync(hostSwitch, 'latin1'), '3');
    const absent = path.join(folder, 'no-such-switch');
    const each = await dropCache([file], signal, absent);
    assert.match(each.words, /^1 of 1 file dropped from the page cache, /u);
    assert.match(
      each.warnings.join(),
      /file by file, because .*no-such-switch cannot be written \(/u,
    );
    assert.ok(!fs.existsSync(absent));
  });
});

function has(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((at) => fs.existsSync(path.join(at, program)));
}

function cachedBytes(target: string): number {
  const files = Array.from({ length: 8 }, (_, i) => path.join(target, `ds1/0/data/f${String(i)}`));
  return execFileSync('fincore', ['--bytes', '--noheadings', '--output', 'RES', ...files])
    .toString()
    .split('\n')
    .reduce((sum, line) => sum + Number(line), 0);
}
