import assert from 'node:assert/strict';
import test from 'node:test';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const limited = (files: number): string[] => ['sh', '-c', `ulimit -n ${files} && exec "$@"`, 'sh'];

test('[ENG-02] many threads that cannot have all files open have some open: those of the threads themselves are counted', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const runner = new RunnerProcess(0, limited(4096));
  t.after(() => runner.kill());
  const all = { from: 0, to: 64 };
  const stage = stageOf({ threads: 80, maxOperations: 8000, durationMs: undefined });
  const dataset = { own: all, use: all, fileSizeBytes: 8192 };
  const [result] = await runner.run(assignmentOf(folder.path, [stage], { dataset }));
  assert.equal(result?.operations[0]?.count, 8000);
});

test('[ENG-02] more threads than the limit of open files lets start are refused before anything is made', async (t) => {
  const runner = new RunnerProcess(0, limited(300));
  t.after(() => runner.kill());
  runner.prepare(assignmentOf('null:', [stageOf({ threads: 100 })]));
  const { code, message } = await runner.event('failed');
  assert.equal(code, 'config');
  assert.match(
    message,
    /^stage "\w+": threads \(100\) need 432 open files and more, and the limit is 300: raise it/u,
  );
});
