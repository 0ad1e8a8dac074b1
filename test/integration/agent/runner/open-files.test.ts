import assert from 'node:assert/strict';
import test from 'node:test';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

test('[ENG-02] many threads that cannot have all files open have some open: those of the threads themselves are counted', async (t) => {
  const folder = temporaryFolder();
  t.after(() => folder.remove());
  const limited = ['sh', '-c', 'ulimit -n 4096 && exec "$@"', 'sh'];
  const runner = new RunnerProcess(0, limited);
  t.after(() => runner.kill());
  const all = { from: 0, to: 64 };
  const stage = stageOf({ threads: 80, maxOperations: 8000, durationMs: undefined });
  const dataset = { own: all, use: all, fileSizeBytes: 8192 };
  const [result] = await runner.run(assignmentOf(folder.path, [stage], { dataset }));
  assert.equal(result?.operations[0]?.count, 8000);
});
