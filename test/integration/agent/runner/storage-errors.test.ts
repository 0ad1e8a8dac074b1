/** What storage answers that no test can bring about in earnest: the kernel's answers are exchanged by strace. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { StageAssignment } from '../../../../src/shared/model/assignment.js';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { failingRunner, lacksStrace } from '../../../support/strace.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const data = Array.from({ length: 8 }, (_, i) => `data/f${String(i)}`);
const marker = '.muster-dataset.json';
const manifest = '.muster-manifest-0.json';
const here = '.muster-here.json';
const put = 'churn/0/0/p0';

function place(t: TestContext) {
  const { path: target, remove } = temporaryFolder();
  t.after(remove);
  const folder = path.join(target, 'ds1', '0');
  const failing = (calls: string, error: string, names: readonly string[]): RunnerProcess => {
    const both = names.flatMap((name) => [name, path.join(folder, name)]);
    return held(failingRunner(calls, error, both));
  };
  const held = (runner: RunnerProcess): RunnerProcess => {
    t.after(() => {
      // To kill strace would leave what it watches alive until its lease is over.
      if (runner.child.connected) runner.child.disconnect();
      return runner.exited;
    });
    return runner;
  };
  const prepare = (runner: RunnerProcess): RunnerProcess => {
    runner.prepare(assignmentOf(target, [stageOf()], { mode: 'prepare' }));
    return runner;
  };
  const prepared = async (): Promise<void> => {
    const runner = prepare(held(new RunnerProcess()));
    await runner.event('prepared');
    runner.tell({ kind: 'quit' });
    await runner.exited;
  };
  return { target, folder, failing, prepare, prepared };
}

const whilePreparing: readonly [
  what: string,
  call: readonly [string, string, readonly string[]],
  code: string,
  says: RegExp,
][] = [
  [
    'a file that is closed',
    ['close', 'EDQUOT', data],
    'space',
    /^cannot write data\/f\d of dataset "ds1": disk quota exceeded \(EDQUOT\)$/u,
  ],
  [
    'a file that is written',
    ['pwrite64', 'EDQUOT', data],
    'space',
    /^cannot write data\/f\d of dataset "ds1": disk quota exceeded \(EDQUOT\)$/u,
  ],
  [
    'a file that is there',
    ['statx', 'EIO', data],
    'target',
    /^cannot write data\/f\d of dataset "ds1": i\/o error \(EIO\)$/u,
  ],
  [
    'the manifest',
    ['openat', 'ESTALE', [manifest]],
    'target',
    /^cannot read \.muster-manifest-0\.json: stale file handle \(ESTALE\)$/u,
  ],
  [
    'the folder',
    ['chdir', 'ESTALE', []],
    'target',
    /^cannot prepare the dataset in \/.*\/ds1\/0: stale file handle \(ESTALE\)$/u,
  ],
];

for (const [what, call, code, says] of whilePreparing) {
  test(`[ENG-03] [SAFE-01] ${what} and ${call[1]}: a prepare fails with one sentence, and names both`, async (t) => {
    if (lacksStrace(t)) return;
    const { failing, prepare, prepared } = place(t);
    if (call[0] === 'statx') await prepared();
    const failed = await prepare(failing(...call)).failure();
    assert.equal(failed.code, code);
    assert.match(failed.message, says);
  });
}

test('[SAFE-01] a marker for which there is no room leaves nothing that the next run would take for a damaged one', async (t) => {
  if (lacksStrace(t)) return;
  const { folder, failing, prepare, prepared } = place(t);
  const { code } = await prepare(failing('write,pwrite64', 'ENOSPC', [marker])).failure();
  assert.equal(code, 'space');
  assert.deepEqual(fs.readdirSync(folder), []);
  await prepared();
});

test('[SAFE-04] a target that stops answering once its path is known is refused in one sentence', async (t) => {
  if (lacksStrace(t)) return;
  const { target, failing, prepare } = place(t);
  const { code, message } = await prepare(failing('statx', 'ESTALE:when=2', [target])).failure();
  assert.deepEqual(
    [code, message],
    ['target', `target ${target} cannot be reached: stale file handle (ESTALE)`],
  );
});

test('[SAFE-03] a folder that does not answer is not taken for one that is gone', async (t) => {
  if (lacksStrace(t)) return;
  const { target, folder, failing, prepared } = place(t);
  await prepared();
  const runner = failing('statx', 'ESTALE', [folder]);
  runner.prepare(assignmentOf(target, [stageOf()], { mode: 'cleanup' }));
  const { message } = await runner.failure();
  assert.equal(message, `cannot clean up ${folder}: stale file handle (ESTALE)`);
  assert.ok(fs.existsSync(path.join(folder, marker)));
});

test('[SAFE-01] a dataset that is read-only now is used, whatever an earlier run left there', async (t) => {
  if (lacksStrace(t)) return;
  const { target, folder, failing, prepare, prepared } = place(t);
  await prepared();
  fs.writeFileSync(path.join(folder, here), 'of an earlier run');
  fs.mkdirSync(path.join(folder, 'churn/0/0'), { recursive: true });
  fs.writeFileSync(path.join(folder, put), 'of an earlier stage');
  const readOnly = (): RunnerProcess => failing('unlink,unlinkat', 'EROFS', [here, put]);
  await prepare(readOnly()).event('prepared');
  fs.rmSync(path.join(folder, 'churn'), { recursive: true });
  // Nor is it when it is another user's.
  await prepare(failing('unlink,unlinkat', 'EACCES', [here])).event('prepared');
  const shifting = readOnly();
  const stages = [stageOf({ shift: 1 })];
  shifting.prepare(assignmentOf(target, stages, { mode: 'prepare', agentCount: 2 }));
  const { code, message } = await shifting.failure();
  assert.deepEqual(
    [code, message],
    ['permission', `cannot prepare the dataset in ${folder}: read-only file system (EROFS)`],
  );
});

test('[RUN-05] check says that the target’s file system does not answer for its space', async (t) => {
  if (lacksStrace(t)) return;
  const { target, failing } = place(t);
  const runner = failing('statfs', 'ESTALE', [target]);
  runner.prepare(assignmentOf(target, [stageOf()], { mode: 'check' }));
  const { report } = await runner.event('checked');
  assert.match(report, /"cannot look at target [^"]*: stale file handle \(ESTALE\)"/u);
});

test('[ENG-03] a stage counts by their names errors that Node has none for, and what closing its files tells of its writes', async (t) => {
  if (lacksStrace(t)) return;
  const { target, failing, prepared } = place(t);
  await prepared();
  const stage: Partial<StageAssignment> = {
    mix: [{ operation: 'write', weight: 1 }],
    durationMs: undefined,
    maxOperations: 40,
    threads: 1,
  };
  const run = async (call: string, error: string, fields: Partial<StageAssignment> = {}) => {
    const runner = failing(call, error, data);
    runner.prepare(assignmentOf(target, [stageOf({ ...stage, ...fields })]));
    await runner.start(0);
    const { operations, endedBy } = await runner.event('stageResult');
    return { runner, endedBy, count: operations[0]?.count, errors: operations[0]?.errors };
  };
  const damaged = await run('pwrite64', 'EUCLEAN');
  assert.deepEqual([damaged.count, damaged.errors], [0, [{ code: 'EUCLEAN', count: 40 }]]);
  const full = await run('close', 'EDQUOT');
  assert.deepEqual([full.count, full.errors], [40, [{ code: 'EDQUOT', count: 1 }]]);
  assert.equal(full.endedBy, 'operations');
  const strict = await run('close', 'EDQUOT', { stopOn: ['write'] });
  assert.equal(strict.endedBy, 'error');
  const { message } = await strict.runner.failure();
  assert.match(
    message,
    /write failed with EDQUOT \(closing its files\), and error_policy is stop/u,
  );
});

test('[ENG-03] a host that has no room in memory for the warm-up says so', async (t) => {
  if (lacksStrace(t)) return;
  const { target, failing, prepared } = place(t);
  await prepared();
  const runner = failing('mkdir', 'ENOSPC', []);
  runner.prepare(assignmentOf(target, [stageOf()]));
  const { code, message } = await runner.failure();
  assert.equal(code, 'space');
  assert.match(message, /^stage "stage" cannot be warmed up over \/.*: no space left on device/u);
});
