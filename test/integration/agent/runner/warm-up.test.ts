/** What V8 says about its compiled code tells more than any time that could be measured on a shared machine. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it, test } from 'node:test';
import type { StageAssignment } from '../../../../src/shared/model/assignment.js';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const steps = [{ from: 1e9, to: 1e9 }];
const stages: readonly (readonly [string, 'null:' | 'file', Partial<StageAssignment>])[] = [
  ['closed loop', 'null:', {}],
  ['zipf', 'null:', { access: { zipf: 1.2 } }],
  ['an open loop', 'null:', { rate: { unit: 'operations', steps } }],
  ['reads of files', 'file', {}],
  // Too few for the compiler to notice: what is compiled was so before.
  ['few reads of files', 'file', { durationMs: undefined, maxOperations: 100 }],
  ['writes of files', 'file', { mix: [{ operation: 'write', weight: 1 }] }],
  [
    'reads and writes',
    'file',
    {
      mix: [
        { operation: 'write', weight: 1 },
        { operation: 'read', weight: 1 },
      ],
    },
  ],
];

/**
 * Whether the loop was compiled once more after its optimised code was thrown away, by what V8 prints with --trace-deopt.
 * At the end of a load its objects go, and newer versions of V8 then drop the code as well: that costs nobody anything.
 */
function isCompiledAgain(printed: string): boolean {
  const dropped =
    /deoptimizing \S+ <JSFunction (?:batch|slice)|SharedFunctionInfo (?:batch|slice)>\) \(opt id/u;
  const at = printed.search(dropped);
  return at >= 0 && /completed compiling \S+ <JSFunction (?:batch|slice)/u.test(printed.slice(at));
}

/** The loops of BatchedLane and of the other lanes. */
const inBatches = /completed compiling \S+ <JSFunction slice/u;
const oneByOne = /completed compiling \S+ <JSFunction batch/u;

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
      assert.match(printed, target === 'file' ? inBatches : oneByOne);
      assert.ok(!isCompiledAgain(printed), printed);
    });
  }
});

test('[MEAS-04] threads of the load wake up when they are due: the kernel gives them no slack', async (t) => {
  const threads = 3;
  const runner = new RunnerProcess();
  t.after(() => runner.kill());
  runner.prepare(assignmentOf('null:', [stageOf({ threads })]));
  await runner.event('ready');
  const refused = runner.all('log').find(({ line }) => line.startsWith('timer slack stays'));
  if (refused !== undefined) {
    t.skip(refused.line);
    return;
  }
  const tasks = fs.readdirSync(`/proc/${String(runner.child.pid)}/task`);
  const slacks = tasks.map((task) => fs.readFileSync(`/proc/${task}/timerslack_ns`, 'utf8').trim());
  // The main thread's and those of the load; Node's own were there before.
  assert.ok(slacks.filter((ns) => ns === '1').length > threads, slacks.join());
});
