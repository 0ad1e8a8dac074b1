/** What the options of a stage that only the kernel sees are to the kernel. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { noConsent } from '../../../../src/agent/core/given-guard.js';
import type { StageAssignment } from '../../../../src/shared/model/assignment.js';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { callsIn, lacksStrace, tracedRunner } from '../../../support/strace.js';
import type { Call } from '../../../support/strace.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const operations = 120;
const files = 8;

/** One option each; whichever engine makes the load, each of the 8 files is opened once. */
const stages: readonly [what: string, option: Partial<StageAssignment>][] = [
  ['noatime', { mix: [{ operation: 'read', weight: 1 }], noatime: true }],
  ['noatime, iodepth', { mix: [{ operation: 'read', weight: 1 }], noatime: true, iodepth: 4 }],
  ['direct', { mix: [{ operation: 'read', weight: 1 }], direct: true }],
  ['direct, iodepth', { direct: true, iodepth: 4 }],
  ['o_sync', { sync: 'o_sync' }],
  ['o_dsync', { sync: 'o_dsync' }],
  ['o_dsync, iodepth', { sync: 'o_dsync', iodepth: 4 }],
  ['fsync every', { fsync: 'every' }],
  ['fsync 7', { fsync: 7 }],
  ['fdatasync 5', { fsync: 5, fdatasync: true }],
  ['fdatasync end, iodepth', { fsync: 'end', fdatasync: true, iodepth: 4 }],
];

const writes: Partial<StageAssignment> = {
  mix: [{ operation: 'write', weight: 1 }],
  durationMs: undefined,
  maxOperations: operations,
  threads: 1,
};

test('[CONF-03] [ENG-01] the options of a stage that nothing but the kernel sees are seen by it, each in its stage alone', async (t) => {
  if (lacksStrace(t)) return;
  const folder = temporaryFolder();
  t.after(folder.remove);
  const seen = new Map<string, Record<string, number>>();
  for (const [what, option] of stages) {
    const home = path.join(folder.path, what);
    const [target, trace] = ['target', 'trace'].map((name) => path.join(home, name));
    assert.ok(target !== undefined && trace !== undefined);
    for (const one of [target, trace]) fs.mkdirSync(one, { recursive: true });
    const runner = tracedRunner(trace, ['openat', 'fsync', 'fdatasync']);
    t.after(() => runner.kill());
    const stage = stageOf({
      ...writes,
      fsync: 'never',
      ...option,
    });
    const [result] = await runner.run(assignmentOf(target, [stage]));
    assert.equal(result?.operations[0]?.count, operations, what);
    runner.tell({ kind: 'quit' });
    await runner.exited;
    const calls = callsIn(trace);
    const flagged = (flag: RegExp): number =>
      calls.filter(
        ({ name, file, given }) =>
          name === 'openat' && file.startsWith('data/f') && flag.test(given),
      ).length;
    const flushed = (by: string): number =>
      calls.filter((call) => call.name === by && isData(call)).length;
    const counts = {
      O_NOATIME: flagged(/\bO_NOATIME\b/),
      O_DIRECT: flagged(/\bO_DIRECT\b/),
      O_SYNC: flagged(/\bO_SYNC\b/),
      O_DSYNC: flagged(/\bO_DSYNC\b/),
      fsync: flushed('fsync'),
      fdatasync: flushed('fdatasync'),
    };
    seen.set(what, Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)));
  }
  t.diagnostic(JSON.stringify(Object.fromEntries(seen)));
  assert.deepEqual(Object.fromEntries(seen), {
    noatime: { O_NOATIME: files },
    'noatime, iodepth': { O_NOATIME: files },
    direct: { O_DIRECT: files },
    'direct, iodepth': { O_DIRECT: files },
    o_sync: { O_SYNC: files },
    o_dsync: { O_DSYNC: files },
    'o_dsync, iodepth': { O_DSYNC: files },
    'fsync every': { fsync: operations },
    'fsync 7': { fsync: Math.floor(operations / 7) },
    'fdatasync 5': { fdatasync: Math.floor(operations / 5) },
    'fdatasync end, iodepth': { fdatasync: files },
  });
});

test('[CONF-03] dataset.prepare: the files are made by as many threads, in writes as large and as direct, as it says', async (t) => {
  if (lacksStrace(t)) return;
  const folder = temporaryFolder();
  t.after(folder.remove);
  const made = async (runner: RunnerProcess, target: string, threads: number): Promise<void> => {
    t.after(() => runner.kill());
    fs.mkdirSync(target);
    const prepare = { threads, blockSizeBytes: 16_384, direct: true };
    runner.prepare(assignmentOf(target, [stageOf()], { mode: 'prepare', dataset: { prepare } }));
    await runner.event('prepared');
  };
  const trace = path.join(folder.path, 'trace');
  fs.mkdirSync(trace);
  const traced = tracedRunner(trace, ['openat', 'pwrite64']);
  await made(traced, path.join(folder.path, 'traced'), 1);
  traced.tell({ kind: 'quit' });
  await traced.exited;
  const calls = callsIn(trace).filter(({ file }) => /\bdata\/f\d+$/.test(file));
  const opened = calls.filter(({ given }) => /\bO_CREAT\b.*\bO_DIRECT\b/.test(given));
  const written = calls.filter(({ name, result }) => name === 'pwrite64' && result === 16_384);
  assert.deepEqual([opened.length, written.length], [files, files * 4]);

  const counts: number[] = [];
  for (const threads of [1, 6]) {
    const runner = new RunnerProcess();
    await made(runner, path.join(folder.path, String(threads)), threads);
    counts.push(fs.readdirSync(`/proc/${String(runner.child.pid)}/task`).length);
  }
  const [one = 0, six = 0] = counts;
  assert.ok(six - one >= 5, `${String(one)} and ${String(six)} threads of the process`);
});

test('[CONF-03] shift in a shared namespace: the agent reads the part of the one so many places further on', async (t) => {
  if (lacksStrace(t)) return;
  const folder = temporaryFolder();
  t.after(folder.remove);
  const [trace, existing] = ['trace', 'existing'].map((name) => path.join(folder.path, name));
  assert.ok(trace !== undefined && existing !== undefined);
  fs.mkdirSync(trace);
  const blocks = 12;
  fs.writeFileSync(existing, Buffer.alloc(blocks * 4096, 7));
  const runner = tracedRunner(trace, ['pread64']);
  t.after(() => runner.kill());
  const read = { durationMs: undefined, threads: 1, access: 'sequential' } as const;
  const stage = stageOf({ ...read, maxOperations: 4, shift: 2 });
  const given = { kind: 'existing', paths: [existing] } as const;
  const dataset = { given, own: { from: 0, to: 0 }, use: { from: 0, to: 1 } };
  const shared = { namespace: 'shared', agentCount: 3, agentIndex: 0 } as const;
  const consent = { ...noConsent, existing: true };
  const [result] = await runner.run(
    assignmentOf('file:', [stage], { ...shared, dataset }),
    consent,
  );
  assert.equal(result?.operations[0]?.count, 4);
  runner.tell({ kind: 'quit' });
  await runner.exited;
  const offsets = callsIn(trace)
    .filter(({ file }) => file === existing)
    .map(({ given: asked }) => Number(/, 4096, (\d+)$/.exec(asked)?.[1]) / 4096);
  assert.deepEqual(offsets, [8, 9, 10, 11]);
});

test('[CONF-03] error_policy: stop heeds the sync at the end of a stage that fails', async (t) => {
  if (lacksStrace(t)) return;
  const folder = temporaryFolder();
  t.after(folder.remove);
  for (const stopOn of [['write'], ['read'], []] as const) {
    const target = path.join(folder.path, `stop on ${stopOn.join()}`);
    fs.mkdirSync(target);
    // Only stages call fdatasync.
    const failing = ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:error=EIO'];
    const quiet = ['-f', '-qq', '-o', '/dev/null', '--seccomp-bpf'];
    const runner = new RunnerProcess(0, ['strace', ...quiet, ...failing]);
    t.after(() => runner.kill());
    const stage = stageOf({
      ...writes,
      fsync: 'end',
      fdatasync: true,
      stopOn,
    });
    runner.prepare(assignmentOf(target, [stage]));
    await runner.start(0);
    const result = await runner.event('stageResult');
    assert.equal(result.operations[0]?.count, operations);
    assert.deepEqual(result.operations[0].errors, [{ code: 'EIO', count: 1 }]);
    assert.equal(result.endedBy, stopOn[0] === 'write' ? 'error' : 'operations');
    if (stopOn[0] !== 'write') continue;
    assert.match(
      (await runner.failure()).message,
      /write failed with EIO \(fsync: end\), and error_policy is stop/,
    );
  }
});

function isData({ file }: Call): boolean {
  return /\/data\/f\d+$/.test(file);
}
