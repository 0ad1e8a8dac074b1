import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import type { CheckReport } from '../../../../src/agent/runner/preflight.js';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const mode = 'check';
const ramp = (unit: 'operations' | 'bytes', from: number, to: number) => ({
  unit,
  steps: [{ from, to }],
});

describe('preflight in the runner', () => {
  const folder = temporaryFolder();
  const runners: RunnerProcess[] = [];
  after(async () => {
    await Promise.all(runners.map((runner) => runner.kill()));
    folder.remove();
  });

  function begin(...args: Parameters<typeof assignmentOf>): RunnerProcess {
    const runner = new RunnerProcess();
    runners.push(runner);
    runner.prepare(assignmentOf(...args));
    return runner;
  }

  async function report(...args: Parameters<typeof assignmentOf>): Promise<CheckReport> {
    return JSON.parse((await begin(...args).event('checked')).report) as CheckReport;
  }

  it('[MEAS-06] tests the generator once for every shape of stage, on no storage, whatever the stages do', async () => {
    const deep = { iodepth: 8, threads: 1 };
    const stages = [
      stageOf({ name: 'a', rate: ramp('operations', 1000, 2000), warmupMs: 60_000 }),
      stageOf({ name: 'b', rate: ramp('bytes', 16_384, 8192), maxOperations: 1 }),
      stageOf({ name: 'c', ...deep, mix: [{ operation: 'write', weight: 1 }], verify: true }),
      stageOf({ name: 'd', threads: 1, mix: [{ operation: 'delete', weight: 1 }] }),
    ];
    const { problems, selfTests } = await report(folder.path, stages, {
      mode,
      agentCount: 2,
      dataset: { content: { compress: 2, dedup: 2 }, verify: true },
    });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      selfTests.map((test) => [test.stages, test.threads, test.iodepth]),
      [
        // The most of each ramp, halved over two agents; two blocks of 4 KiB a second are two operations.
        [
          [
            { name: 'a', wanted: 1000 },
            { name: 'b', wanted: 2 },
          ],
          2,
          1,
        ],
        [[{ name: 'c', wanted: null }], 1, 8],
        [[{ name: 'd', wanted: null }], 1, 1],
      ],
    );
    for (const test of selfTests) {
      assert.ok(test.operationsPerSecond > 1e4, 'no storage is as fast as none, on any machine');
      assert.ok(test.cpus > 0 && test.cpus < test.threads + 1);
      const cpuSeconds = (test.operationsPerSecond * test.cpuNsPerOperation) / 1e9;
      assert.ok(Math.abs(cpuSeconds / test.cpus - 1) < 0.2, `${cpuSeconds} of ${test.cpus}`);
    }
    assert.deepEqual(fs.readdirSync(folder.path), [], 'nothing was made');
  });

  it('[MEAS-06] counts the polling threads that the kernel has for the threads of an iodepth', async () => {
    const stages = [stageOf({ name: 'deep', threads: 3, iodepth: 4 }), stageOf({ name: 'plain' })];
    const pollingOf = async (asynchronous: number) => {
      const runner = new RunnerProcess(asynchronous);
      runners.push(runner);
      runner.prepare(assignmentOf(folder.path, stages, { mode }));
      const answer = JSON.parse((await runner.event('checked')).report) as CheckReport;
      const home = `/proc/${String(runner.child.pid)}/task`;
      const names = fs.readdirSync(home).map((task) => fs.readFileSync(`${home}/${task}/comm`));
      const isPolled = names.some((name) => name.toString().startsWith('iou-sqp-'));
      return [isPolled, ...answer.selfTests.map(({ pollingThreads }) => pollingThreads)];
    };
    assert.deepEqual(await pollingOf(0), [false, 0, 0]);
    const [isPolled, ...counts] = await pollingOf(12);
    assert.deepEqual(counts, [isPolled === true ? 3 : 0, 0], 'where libuv has no ring, none polls');
  });

  it('[MEAS-06] tells how much of the CPUs others had during a self-test', async () => {
    const other = spawn(process.execPath, ['-e', 'for (;;);']);
    try {
      await once(other, 'spawn');
      const all = stageOf({ threads: Math.min(16, os.availableParallelism()) });
      const { selfTests } = await report(folder.path, [all], { mode });
      const [test] = selfTests;
      assert.ok(test !== undefined && test.othersCpus > 0.2, String(test?.othersCpus));
      const busy = test.cpus + test.othersCpus;
      const text = `${String(busy)} of ${String(test.hostCpus)}`;
      assert.ok(busy > 0.7 * test.threads && busy < test.hostCpus + 0.2, text);
    } finally {
      other.kill('SIGKILL');
    }
  });

  it('[ENG-02] says what a stage asks for and the target cannot do, and tests nothing then', async () => {
    const odd = stageOf({ direct: true, blockSizeBytes: 100 });
    const { problems, selfTests } = await report(folder.path, [odd], { mode });
    assert.match(problems.join(), /^stage "stage": direct needs a block_size that is a multiple/);
    assert.deepEqual(selfTests, []);
  });

  it('[SAFE-01] an agent makes the file by which others see that they share its target, and removes no other', async () => {
    const name = '.muster-shared-0123456789abcdef';
    const file = path.join(folder.path, name);
    const shared = { mode, namespace: 'shared', agentCount: 2 } as const;
    const act = (what: 'make' | 'find' | 'remove') =>
      report(folder.path, [], { ...shared, sentinel: { name, act: what } });
    assert.deepEqual((await act('make')).problems, []);
    assert.ok(fs.existsSync(file));
    assert.deepEqual((await act('find')).problems, []);
    assert.match((await act('make')).problems.join(), /cannot make .*file already exists/);
    assert.deepEqual((await act('remove')).problems, []);
    assert.deepEqual(fs.readdirSync(folder.path), []);
  });

  it('[RUN-09] ends at once when it is aborted in the middle of a self-test', async () => {
    const stages = Array.from({ length: 200 }, (_, i) =>
      stageOf({ threads: 1 + (i % 2), access: { zipf: 1 + i / 100 } }),
    );
    const runner = begin(folder.path, stages, { mode });
    await runner.event('progress');
    runner.tell({ kind: 'abort', reason: 'enough', graceMs: 60_000 });
    await runner.event('aborted');
    assert.equal(runner.all('checked').length, 0);
  });
});
