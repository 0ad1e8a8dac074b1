import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { OperationStats, StageResult } from '../../../../src/shared/model/messages.js';
import type { OperationKind } from '../../../../src/shared/model/operation.js';
import { operationKinds } from '../../../../src/shared/model/operation.js';
import { Histogram } from '../../../../src/shared/metrics/histogram.js';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { filesBelow, temporaryFolder } from '../../../support/temporary-folder.js';

const mixOf = (...kinds: readonly OperationKind[]) =>
  kinds.map((operation) => ({ operation, weight: 1 }));

function statsOf(result: StageResult | undefined, kind: OperationKind): OperationStats {
  const stats = result?.operations.find(({ operation }) => operation === kind);
  assert.ok(stats, kind);
  return stats;
}

describe('runner under load', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let runner: RunnerProcess;

  beforeEach(() => {
    folder = temporaryFolder();
    runner = new RunnerProcess();
  });
  afterEach(async () => {
    await runner.kill();
    folder.remove();
  });

  it('[MEAS-01] [STAT-01] reports intervals that add up to the stage result, to the bucket', async () => {
    const stage = stageOf({ mix: mixOf('read', 'stat', 'get'), durationMs: 2200, threads: 3 });
    const [result] = await runner.run(assignmentOf(folder.path, [stage]));
    const intervals = runner.all('interval');
    assert.equal(result?.endedBy, 'duration');
    assert.equal(result.intervals, (intervals.at(-1)?.last ?? -1) + 1);
    assert.equal(intervals[0]?.first, 0);
    for (const [i, { first }] of intervals.slice(1).entries()) {
      assert.equal(first, (intervals[i]?.last ?? 0) + 1, 'no gap, no overlap');
    }
    for (const [slot, stats] of result.operations.entries()) {
      const sum = new Histogram();
      let before = 0;
      for (const interval of intervals) {
        const part = interval.operations[slot];
        assert.ok(part);
        sum.add(part.service);
        assert.equal(part.count - before, Histogram.decode(part.service).count);
        before = part.count;
      }
      assert.ok(stats.count > 0);
      assert.deepEqual(sum.encode(), stats.service);
      assert.equal(stats.count, sum.count);
      const each = { read: 4096, get: 65_536, stat: 0 }[stats.operation as 'read' | 'get' | 'stat'];
      assert.equal(stats.bytes, stats.count * each);
      assert.deepEqual(stats.errors, []);
    }
    const started = await runner.event('started');
    assert.equal(started.firstOperationNs, result.firstOperationNs);
    assert.ok(result.firstOperationNs >= result.atNs, 'nothing begins before T0');
    assert.ok(result.lastOperationNs >= result.atNs + 2_200_000_000n);
    assert.equal(result.abandoned, 0);
  });

  it('does what it counts: files on disk show every put, delete, mkdir and rmdir', async () => {
    const stage = stageOf({
      mix: mixOf('put', 'delete', 'mkdir', 'rmdir'),
      durationMs: undefined,
      maxOperations: 4001,
      threads: 3,
    });
    const [result] = await runner.run(
      assignmentOf(folder.path, [stage], { dataset: { fileSizeBytes: 8192 } }),
    );
    assert.equal(result?.endedBy, 'operations');
    const count = (kind: OperationKind): number => statsOf(result, kind).count;
    assert.equal(count('put') + count('delete') + count('mkdir') + count('rmdir'), 4001);
    const churn = path.join(folder.path, 'ds1', '0', 'churn');
    const entries = fs.readdirSync(churn, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile());
    const folders = entries.filter((entry) => /^d\d+$/u.test(entry.name));
    assert.equal(files.length, count('put') - count('delete'));
    assert.equal(folders.length, count('mkdir') - count('rmdir'));
    for (const file of files) {
      assert.equal(fs.statSync(path.join(file.parentPath, file.name)).size, 8192);
    }
  });

  it('renames within the churn folders: as many files as before, none replaced, all under new names', async () => {
    const counted = { durationMs: undefined, threads: 2 };
    const results = await runner.run(
      assignmentOf(
        folder.path,
        [
          stageOf({ ...counted, mix: mixOf('put'), maxOperations: 100 }),
          // More lanes than made them: files cross from one lane's folder to another's.
          stageOf({ ...counted, mix: mixOf('rename'), maxOperations: 1000, threads: 3 }),
        ],
        { dataset: { fileSizeBytes: 512 } },
      ),
    );
    assert.equal(statsOf(results[1], 'rename').count, 1000);
    const churn = path.join(folder.path, 'ds1', '0', 'churn', '0');
    const names = fs.readdirSync(churn).map((lane) => fs.readdirSync(path.join(churn, lane)));
    assert.deepEqual(
      names.map((lane) => lane.length).sort(),
      [33, 33, 34],
      'each lane renames its part, into its own folder',
    );
    runner.tell({ kind: 'cleanup' });
    assert.equal((await runner.event('cleaned')).files, 108);
    assert.deepEqual(fs.readdirSync(folder.path), []);
  });

  it('writes every block once in a sequential pass, each with content of its own', async () => {
    const bytes = 8 * 65_536;
    const stage = stageOf({
      mix: mixOf('write'),
      access: 'sequential',
      durationMs: undefined,
      maxBytes: bytes,
      threads: 3,
      fsync: 'end',
    });
    const assignment = assignmentOf(folder.path, [stage], { dataset: { content: 'random' } });
    runner.prepare(assignment);
    await runner.event('ready');
    const data = path.join(folder.path, 'ds1', '0', 'data');
    const blocks = (): string[] =>
      filesBelow(data).flatMap((name) => {
        const content = fs.readFileSync(path.join(data, name));
        return Array.from({ length: content.length / 4096 }, (_, i) =>
          content.subarray(i * 4096, (i + 1) * 4096).toString('base64'),
        );
      });
    const before = blocks();
    assert.equal(new Set(before).size, 128, 'prepare makes no two blocks alike');
    await runner.start(0);
    const result = await runner.event('stageResult');
    assert.equal(result.endedBy, 'bytes');
    assert.equal(statsOf(result, 'write').bytes, bytes);
    const after = blocks();
    assert.equal(new Set([...before, ...after]).size, 256, 'every block was written anew');
    assert.equal(result.mechanism, 'psync fsync end');
  });

  it('keeps the limits of operations and bytes exactly, whatever the number of threads', async () => {
    // Far more time than they take: a limit that is ignored fails the test instead of never ending it.
    const limited = { durationMs: 20_000, threads: 7 };
    const stages = [
      stageOf({ ...limited, maxOperations: 1 }),
      stageOf({ ...limited, maxOperations: 10_007 }),
      stageOf({ ...limited, maxBytes: 4096 * 1001 + 17 }),
      stageOf({ ...limited, mix: mixOf('read', 'stat'), maxOperations: 5_003, threads: 2 }),
    ];
    const results = await runner.run(assignmentOf(folder.path, stages));
    const total = (result: StageResult | undefined): number =>
      result?.operations.reduce((sum, { count }) => sum + count, 0) ?? -1;
    assert.deepEqual(results.map(total), [1, 10_007, 1001, 5_003]);
    assert.deepEqual(
      results.map(({ endedBy }) => endedBy),
      ['operations', 'operations', 'bytes', 'operations'],
    );
  });

  it('[RUN-15] says READY exactly once per stage, and STATS only between start and end', async () => {
    const stages = [0, 1, 2].map(() => stageOf({ durationMs: undefined, maxOperations: 50 }));
    await runner.run(assignmentOf(folder.path, stages));
    assert.deepEqual(
      runner.all('ready').map(({ stage }) => stage),
      [0, 1, 2],
    );
    const order = runner.events
      .map(({ kind }) => kind)
      // On a busy machine a start may come too late, and is tried again.
      .filter((kind) => !['report', 'progress', 'log', 'missed'].includes(kind));
    const once = ['ready', 'armed', 'started', 'draining', 'interval', 'stageResult'];
    assert.deepEqual(order, ['target', 'marked', 'marked', ...once, ...once, ...once]);
  });

  it('[MEAS-02] makes the same operations again with the same seed, others with another', async () => {
    const traceOf = async (seed: number): Promise<string> => {
      const target = temporaryFolder();
      const one = new RunnerProcess();
      try {
        const stage = stageOf({
          mix: mixOf('write'),
          durationMs: undefined,
          maxOperations: 40,
          threads: 2,
        });
        const dataset = { content: 'zero' as const };
        one.prepare(assignmentOf(target.path, [stage], { seed, dataset }));
        await one.event('ready');
        const data = path.join(target.path, 'ds1', '0', 'data');
        // Ones all over: the zeros written show which blocks were chosen.
        for (const name of filesBelow(data)) {
          fs.writeFileSync(path.join(data, name), Buffer.alloc(65_536, 1), { flag: 'r+' });
        }
        await one.start(0);
        await one.event('stageResult');
        return filesBelow(data)
          .map((name) => fs.readFileSync(path.join(data, name)).toString('base64'))
          .join(' ');
      } finally {
        await one.kill();
        target.remove();
      }
    };
    const first = await traceOf(42);
    assert.equal(await traceOf(42), first);
    assert.notEqual(await traceOf(43), first);
  });

  it('removes in a later stage what an earlier one made, with another number of threads, until nothing is left', async () => {
    const limited = { durationMs: undefined };
    const stages = [
      stageOf({ ...limited, mix: mixOf('put'), maxOperations: 100, threads: 4 }),
      stageOf({ ...limited, mix: mixOf('delete'), maxOperations: 1000, threads: 3 }),
    ];
    const results = await runner.run(
      assignmentOf(folder.path, stages, { dataset: { fileSizeBytes: 4096 } }),
    );
    assert.equal(statsOf(results[1], 'delete').count, 100);
    assert.equal(results[1]?.endedBy, 'exhausted');
    assert.deepEqual(filesBelow(path.join(folder.path, 'ds1', '0', 'churn')), []);
  });

  it('[ENG-03] counts errors by kind and code, with their latencies apart, and goes on', async () => {
    const stage = stageOf({
      mix: mixOf('get', 'stat', 'read'),
      durationMs: undefined,
      maxOperations: 4000,
    });
    runner.prepare(assignmentOf(folder.path, [stage]));
    await runner.event('ready');
    const data = path.join(folder.path, 'ds1', '0', 'data');
    fs.unlinkSync(path.join(data, 'f3'));
    fs.truncateSync(path.join(data, 'f5'), 100);
    await runner.start(0);
    const result = await runner.event('stageResult');
    const get = statsOf(result, 'get');
    const stat = statsOf(result, 'stat');
    assert.deepEqual(new Set(get.errors.map(({ code }) => code)), new Set(['SHORT', 'ENOENT']));
    assert.deepEqual(
      stat.errors.map(({ code }) => code),
      ['ENOENT'],
    );
    const read = statsOf(result, 'read');
    assert.deepEqual(
      read.errors.map(({ code }) => code),
      ['SHORT'],
    );
    const all = [get, stat, read];
    const failed = all.flatMap(({ errors }) => errors).reduce((sum, { count }) => sum + count, 0);
    assert.equal(
      get.count + stat.count + read.count + failed,
      4000,
      'every operation ended one way or the other',
    );
    assert.equal(
      all.reduce((sum, one) => sum + Histogram.decode(one.failed).count, 0),
      failed,
    );
    assert.equal(Histogram.decode(get.service).count, get.count);
  });

  it('[MEAS-06] issues its own part of the rate, and another one from when it is told so', async () => {
    const rate = { unit: 'operations', steps: [{ from: 5, to: 5 }] } as const;
    const stages = [0, 1, 2].map((index) => stageOf({ index, threads: 1, rate, durationMs: 1000 }));
    // In a second of all agents five are due: the first of two has three of them, the second two.
    runner.prepare(assignmentOf('null:', stages, { agentIndex: 1, agentCount: 2 }));
    const shares = [undefined, { index: 0, count: 2 }, { index: 0, count: 1 }];
    const due: number[] = [];
    for (const [stage, share] of shares.entries()) {
      await runner.event('ready', (event) => event.stage === stage);
      if (share) runner.tell({ kind: 'share', ...share });
      await runner.start(stage);
      const result = await runner.event('stageResult', (event) => event.stage === stage);
      const { count, unissuedSchedules } = statsOf(result, 'read');
      due.push(count + unissuedSchedules);
    }
    assert.deepEqual(due, [2, 3, 5]);
  });

  it('[CONF-03] max_error_rate ends the stage while it goes on, not at its end', async () => {
    const durationMs = 20_000;
    const stage = stageOf({ mix: mixOf('stat'), access: 'random', durationMs, maxErrorRate: 0.01 });
    runner.prepare(assignmentOf(folder.path, [stage]));
    await runner.event('ready');
    fs.unlinkSync(path.join(folder.path, 'ds1', '0', 'data', 'f3'));
    await runner.start(0);
    const { endedBy, intervals } = await runner.event('stageResult');
    assert.equal(endedBy, 'error');
    assert.ok(intervals < durationMs / 1000, `${String(intervals)} seconds`);
    assert.match(
      (await runner.failure()).message,
      /operations failed .*more than max_error_rate 1%/,
    );
  });

  for (const [how, spoil, sentence] of [
    ['is gone', () => undefined, /^stage "second" cannot open data\/f3: no such file/],
    ['became a link', fs.symlinkSync, /^stage "second" does not open data\/f3: it is a link now/],
  ] as const) {
    it(`[UX-02] names the file that a stage cannot open because it ${how}`, async () => {
      const stages = ['first', 'second'].map((name, index) => stageOf({ index, name }));
      runner.prepare(assignmentOf(folder.path, stages));
      await runner.event('ready');
      const file = path.join(folder.path, 'ds1', '0', 'data', 'f3');
      fs.unlinkSync(file);
      spoil('/nowhere', file);
      await runner.start(0);
      assert.match((await runner.failure()).message, sentence);
    });
  }

  it('needs no target for the null engine, and does all operations there are', async () => {
    const stage = stageOf({
      mix: mixOf(...operationKinds),
      durationMs: undefined,
      maxOperations: 9000,
    });
    const [result] = await runner.run(assignmentOf('null:', [stage]));
    assert.equal(result?.mechanism, 'null');
    assert.ok(result.operations.every(({ count, errors }) => count > 0 && errors.length === 0));
    runner.tell({ kind: 'cleanup' });
    assert.equal((await runner.event('cleaned')).files, 0);
  });

  it('[RUN-23] handles an agent whose share of the operations is none', async () => {
    const stage = stageOf({ durationMs: undefined, maxOperations: 0 });
    const [result] = await runner.run(assignmentOf(folder.path, [stage]));
    assert.equal(statsOf(result, 'read').count, 0);
    assert.equal(result?.endedBy, 'operations');
    assert.equal(result.abandoned, 0);
  });

  it('reports itself once a second in every state', async () => {
    runner.prepare(assignmentOf(folder.path, [stageOf()]));
    await runner.event('ready');
    const before = runner.all('report').length;
    const isNew = (): boolean => runner.all('report').length >= before + 2;
    const report = await runner.event('report', isNew);
    assert.ok(report.rssBytes > 1e6);
    assert.equal(runner.all('ready').length, 1);
  });

  it('goes on to the next stage and ends when it is told to', async () => {
    await runner.run(assignmentOf(folder.path, [stageOf({ durationMs: 100 })]));
    runner.tell({ kind: 'quit' });
    assert.deepEqual(await runner.exited, { code: 0, signal: null });
  });
});
