/** What V8 says about its compiled code tells more than any time that could be measured on a shared machine. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StageAssignment } from '../../../../src/shared/model/assignment.js';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const steps = [{ from: 1e9, to: 1e9 }];
const stages: readonly (readonly [string, 'null:' | 'file', Partial<StageAssignment>])[] = [
  ['closed loop', 'null:', {}],
  ['zipf', 'null:', { access: { zipf: 1.2 } }],
  ['an open loop', 'null:', { rate: { unit: 'operations', steps } }],
  ['reads of files', 'file', {}],
];

/** Functions whose optimised code was thrown away, by what V8 prints with --trace-deopt. */
function thrownAway(printed: string): string[] {
  const pattern = /deoptimizing \S+ <JSFunction (\S+)|SharedFunctionInfo (\S+)>\) \(opt id/gu;
  return Array.from(printed.matchAll(pattern), ([, eager, lazy]) => eager ?? lazy ?? '');
}

describe('the warm-up', () => {
  for (const [what, target, fields] of stages) {
    it(`[PERF-06] leaves compiled code that the load of ${what} goes on with`, async (t) => {
      const folder = temporaryFolder();
      t.after(folder.remove);
      const runner = new RunnerProcess(0, [], ['--trace-deopt', '--trace-opt']);
      let printed = '';
      runner.child.stdout?.on('data', (text: Buffer) => (printed += text.toString()));
      try {
        const stage = stageOf({ threads: 1, ...fields });
        await runner.run(assignmentOf(target === 'file' ? folder.path : target, [stage]));
        runner.tell({ kind: 'quit' });
        await runner.exited;
      } finally {
        await runner.kill();
      }
      assert.match(printed, /completed compiling \S+ <JSFunction batch/u);
      assert.ok(!thrownAway(printed).includes('batch'), printed);
    });
  }
});
