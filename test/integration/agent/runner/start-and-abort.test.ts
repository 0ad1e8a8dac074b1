import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Histogram } from '../../../../src/shared/metrics/histogram.js';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const second = 1_000_000_000n;
const getMix = [{ operation: 'get', weight: 1 }] as const;

/** The process is gone for good: no zombie of load behind. */
function isAlive(pid: number | undefined): boolean {
  try {
    process.kill(pid ?? 0, 0);
    return true;
  } catch {
    return false;
  }
}

/** Of the threads of a process, those that took most CPU time first. */
function threadsOf(pid: string): readonly { thread: string; nice: number }[] {
  const folder = `/proc/${pid}/task`;
  const threads = fs.readdirSync(folder).map((thread) => {
    const stat = fs.readFileSync(`${folder}/${thread}/stat`, 'latin1');
    // From the third on: utime and stime are the 14th and 15th, nice is the 19th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { thread, nice: Number(fields[16]), ticks: Number(fields[11]) + Number(fields[12]) };
  });
  return threads.sort((a, b) => b.ticks - a.ticks);
}

function mayGoFirst(): boolean {
  const priority = os.getPriority();
  try {
    os.setPriority(priority - 1);
    os.setPriority(priority);
    return true;
  } catch {
    return false;
  }
}

describe('runner, start and abort', () => {
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

  /** A read of the file never returns: what a hung mount does. */
  function hang(file: string): void {
    const name = path.join(folder.path, 'ds1', '0', 'data', file);
    fs.unlinkSync(name);
    execFileSync('mkfifo', [name]);
  }

  it('[RUN-28] starts nothing when no GO comes, and can be armed again with a higher epoch', async () => {
    runner.prepare(assignmentOf(folder.path, [stageOf({ durationMs: 100 })]));
    await runner.event('ready');
    const soon = process.hrtime.bigint() + second / 10n;
    runner.tell({ kind: 'arm', stage: 0, epoch: 1, atNs: soon });
    const missed = await runner.event('missed');
    assert.equal(missed.epoch, 1);
    assert.match(missed.reason, /no GO came/u);
    assert.equal(runner.all('interval').length + runner.all('started').length, 0);
    await runner.start(0, 2);
    assert.equal((await runner.event('stageResult')).endedBy, 'duration');
    assert.equal((await runner.event('started')).epoch, 2);
  });

  it('[MEAS-06] its main thread goes before all others, where that is allowed', async () => {
    const ordinary = os.getPriority();
    const threads = 2;
    runner.prepare(assignmentOf(folder.path, [stageOf({ durationMs: 600_000, threads })]));
    await runner.start(0);
    await runner.event('interval', ({ last }) => last >= 3);
    const all = threadsOf(String(runner.child.pid));
    const isMain = ({ thread }: { thread: string }): boolean => thread === String(runner.child.pid);
    assert.equal(all.find(isMain)?.nice, ordinary - (mayGoFirst() ? 10 : 0));
    const workers = all.filter((one) => !isMain(one)).slice(0, threads);
    assert.deepEqual(
      workers.map(({ nice }) => nice),
      [ordinary, ordinary],
    );
  });

  it('[RUN-20] an operation that is due long after T0 of a warm-up is told of within seconds, not after it', async () => {
    const rate = { unit: 'operations', steps: [{ from: 2, to: 2 }] } as const;
    const stage = stageOf({ threads: 1, rate, warmupMs: 3_600_000 });
    // The second of two agents: its first operation is due half a second after T0.
    runner.prepare(assignmentOf(folder.path, [stage], { agentIndex: 1, agentCount: 2 }));
    await runner.start(0);
    const { operations } = await runner.event('report', (report) => report.operations >= 1);
    await runner.event('report', (report) => report.operations >= operations + 3);
    const [started] = runner.all('started');
    assert.ok(started, 'not told that it has started');
    assert.ok(started.atNs - runner.latestStartNs > 0n, 'lateness is against the schedule');
    runner.tell({ kind: 'abort', reason: 'enough', graceMs: 2000 });
    assert.equal((await runner.event('stageResult')).endedBy, 'aborted');
  });

  it('[RUN-07] leaves out stages that went on without it, and cleans up while it waits for one', async () => {
    const mix = [{ operation: 'put', weight: 1 }] as const;
    const stages = [0, 1, 2, 3].map((index) => stageOf({ index, mix, maxOperations: 3 }));
    runner.prepare(assignmentOf(folder.path, stages));
    await runner.start(0);
    await runner.event('ready', ({ stage }) => stage === 1);
    runner.tell({ kind: 'arm', stage: 2, epoch: 1, atNs: 0n });
    await runner.start(2);
    await runner.event('ready', ({ stage }) => stage === 3);
    assert.deepEqual(
      runner.all('stageResult').map(({ stage, operations }) => [stage, operations[0]?.count]),
      [
        [0, 3],
        [2, 3],
      ],
    );
    runner.tell({ kind: 'cleanup' });
    await runner.event('cleaned');
    assert.deepEqual(fs.readdirSync(folder.path), []);
  });

  it('[RUN-28] misses an instant that has passed, and a GO that comes too late or for another epoch', async () => {
    runner.prepare(assignmentOf(folder.path, [stageOf({ durationMs: 100 })]));
    await runner.event('ready');
    runner.tell({ kind: 'arm', stage: 0, epoch: 1, atNs: process.hrtime.bigint() - second });
    assert.match((await runner.event('missed')).reason, /had passed/u);
    assert.equal(runner.all('armed').length, 0);
    const atNs = process.hrtime.bigint() + second / 10n;
    runner.tell({ kind: 'arm', stage: 0, epoch: 2, atNs });
    runner.tell({ kind: 'go', stage: 0, epoch: 1 });
    await runner.event('missed', ({ epoch }) => epoch === 2);
    runner.tell({ kind: 'go', stage: 0, epoch: 2 });
    await runner.event('log', ({ line }) => line.includes('GO for epoch 2'));
    assert.equal(runner.all('started').length, 0);
  });

  it('[RUN-28] lets a higher epoch replace one that was already released', async () => {
    runner.prepare(assignmentOf(folder.path, [stageOf({ durationMs: 100 })]));
    await runner.event('ready');
    const first = process.hrtime.bigint() + second;
    const later = first + second / 2n;
    runner.tell({ kind: 'arm', stage: 0, epoch: 1, atNs: first });
    runner.tell({ kind: 'go', stage: 0, epoch: 1 });
    runner.tell({ kind: 'arm', stage: 0, epoch: 2, atNs: later });
    runner.tell({ kind: 'go', stage: 0, epoch: 2 });
    const result = await runner.event('stageResult');
    assert.equal(result.atNs, later);
    assert.ok(result.firstOperationNs >= later, 'no worker ran to the abandoned instant');
  });

  // Rates and several operations in flight have loops of their own.
  const rate = { unit: 'operations', steps: [{ from: 1000, to: 1000 }] } as const;
  for (const [what, fields] of [
    ['a closed loop', {}],
    ['an open loop', { rate }],
    ['many in flight', { iodepth: 4 }],
  ] as const) {
    it(`[RUN-28] lets a higher epoch replace one for which the workers have set up ${what}`, async () => {
      runner.prepare(assignmentOf('null:', [stageOf({ durationMs: 100, ...fields })]));
      await runner.event('ready');
      const first = process.hrtime.bigint() + second / 2n;
      const later = first + second / 2n;
      runner.tell({ kind: 'arm', stage: 0, epoch: 1, atNs: first });
      runner.tell({ kind: 'go', stage: 0, epoch: 1 });
      // 5 ms before the instant: on a busy machine it comes when they have begun, and the first start stands.
      while (process.hrtime.bigint() < first - 5_000_000n);
      runner.tell({ kind: 'arm', stage: 0, epoch: 2, atNs: later });
      runner.tell({ kind: 'go', stage: 0, epoch: 2 });
      const result = await runner.event('stageResult');
      const { epoch } = await runner.event('started');
      assert.equal(result.atNs, epoch === 2 ? later : first);
      assert.ok(result.firstOperationNs >= result.atNs);
    });
  }

  it('[RUN-09] tells what was done when aborted in the moment after the start', async () => {
    // On a busy machine the workers may begin later than the abort comes: such an attempt tells nothing.
    for (let attempt = 0; attempt < 10; attempt++) {
      runner.prepare(assignmentOf('null:', [stageOf({ durationMs: 600_000 })]));
      await runner.start(0, 1, 500);
      await runner.event('armed');
      while (process.hrtime.bigint() < runner.latestStartNs + 2_000_000n);
      runner.tell({ kind: 'abort', reason: 'Ctrl-C', graceMs: 2000 });
      await runner.event('aborted');
      const lines = runner.all('log').map(({ line }) => line);
      if (!lines.includes('Coordinated start cancelled by ABORT')) {
        const result = await runner.event('stageResult');
        assert.equal(result.endedBy, 'aborted');
        assert.ok((result.operations[0]?.count ?? 0) > 0);
        return;
      }
      await runner.kill();
      runner = new RunnerProcess();
    }
    assert.fail('ten starts were cancelled that had begun');
  });

  it('[RUN-20] begins at the instant that was asked for, not before', async () => {
    runner.prepare(assignmentOf(folder.path, [stageOf({ durationMs: 100, threads: 4 })]));
    const atNs = await runner.start(0, 1, 500);
    const { firstOperationNs } = await runner.event('started');
    assert.ok(firstOperationNs >= atNs);
    assert.ok(firstOperationNs < atNs + second, 'on a machine that is busy with other tests');
  });

  for (const iodepth of [1, 4]) {
    it(`[RUN-20] [MEAS-06] an operation that is due after T0 is not late: iodepth ${iodepth}`, async () => {
      // The second of two agents that share 1/s has its first operation a second after T0.
      const rate = { unit: 'operations', steps: [{ from: 1, to: 1 }] } as const;
      const stage = stageOf({ durationMs: 2500, threads: 1, iodepth, rate });
      const agents = { agentIndex: 1, agentCount: 2 };
      runner.prepare({ ...assignmentOf(folder.path, [stage]), ...agents });
      const t0Ns = await runner.start(0, 1, 500);
      const { firstOperationNs, atNs } = await runner.event('started');
      assert.equal(atNs - t0Ns, second);
      assert.ok(firstOperationNs >= atNs);
    });
  }

  it('[RUN-12] is woken at once by an abort during the start wait, without any I/O', async () => {
    runner.prepare(assignmentOf(folder.path, [stageOf({ mix: getMix })]));
    await runner.event('ready');
    const hourNs = process.hrtime.bigint() + 3600n * second;
    runner.tell({ kind: 'arm', stage: 0, epoch: 1, atNs: hourNs });
    runner.tell({ kind: 'go', stage: 0, epoch: 1 });
    await runner.event('armed');
    runner.tell({ kind: 'abort', reason: 'Ctrl-C', graceMs: 2000 });
    assert.equal((await runner.event('aborted')).reason, 'Ctrl-C');
    const lines = runner.all('log').map(({ line }) => line);
    assert.ok(lines.includes('Coordinated start cancelled by ABORT'));
    assert.equal(runner.all('started').length + runner.all('stageResult').length, 0);
    runner.tell({ kind: 'quit' });
    assert.equal((await runner.exited).code, 0);
  });

  it('[RUN-09] stops at once when aborted under load, with a result of what was done', async () => {
    runner.prepare(assignmentOf(folder.path, [stageOf({ durationMs: 600_000 })]));
    await runner.start(0);
    await runner.event('interval');
    runner.tell({ kind: 'abort', reason: 'majority lost', graceMs: 60_000 });
    runner.tell({ kind: 'abort', reason: 'again', graceMs: 1 });
    await runner.event('aborted');
    const result = await runner.event('stageResult');
    const [stats] = result.operations;
    assert.equal(result.endedBy, 'aborted');
    assert.equal(result.abandoned, 0);
    assert.ok(stats && stats.count > 0);
    const sum = new Histogram();
    for (const { operations } of runner.all('interval')) {
      sum.add(operations[0]?.service ?? new Uint8Array());
    }
    assert.deepEqual(sum.encode(), stats.service);
    const kinds = runner.events.map(({ kind }) => kind).filter((kind) => kind !== 'report');
    assert.deepEqual(kinds.slice(-3), ['interval', 'stageResult', 'aborted']);
    assert.equal(runner.all('aborted').length, 1);
  });

  it('[RES-05] says when it was stopped, not when what was in flight then had ended', async () => {
    const stage = stageOf({ mix: getMix, durationMs: 600_000, threads: 1, access: 'sequential' });
    runner.prepare(assignmentOf(folder.path, [stage]));
    await runner.event('ready');
    hang('f7');
    await runner.start(0);
    await runner.event('report', ({ oldestInFlightNs }) => oldestInFlightNs > 100e6);
    const toldNs = process.hrtime.bigint();
    runner.tell({ kind: 'abort', reason: 'Ctrl-C', graceMs: 60_000 });
    // Reported once a second: by then the abort, told before, has been heard.
    const before = runner.all('report').length;
    await runner.event('report', () => runner.all('report').length > before + 1);
    const letGoNs = process.hrtime.bigint();
    // A writer ends the wait.
    fs.closeSync(fs.openSync(path.join(folder.path, 'ds1', '0', 'data', 'f7'), 'w'));
    await runner.event('aborted');
    const { endedNs, lastOperationNs } = await runner.event('stageResult');
    assert.ok(toldNs <= endedNs && endedNs < letGoNs);
    assert.ok(lastOperationNs > letGoNs);
  });

  it('[RUN-09] reports and gives up on a worker that is stuck in a system call, with its operation abandoned', async () => {
    const stage = stageOf({ mix: getMix, durationMs: 600_000, threads: 2, access: 'sequential' });
    runner.prepare(assignmentOf(folder.path, [stage]));
    await runner.event('ready');
    hang('f7');
    await runner.start(0);
    const isStuck = ({ oldestInFlightNs }: { oldestInFlightNs: number }): boolean =>
      oldestInFlightNs > 500e6;
    const { inFlight } = await runner.event('report', isStuck);
    assert.ok(inFlight >= 1, 'the age of the operation in flight is visible');
    runner.tell({ kind: 'abort', reason: 'Ctrl-C', graceMs: 300 });
    await runner.event('aborted');
    const heardNs = process.hrtime.bigint();
    const result = await runner.event('stageResult');
    assert.equal(result.endedBy, 'aborted');
    assert.equal(result.abandoned, 1);
    assert.ok(heardNs - result.endedNs >= 290_000_000n, 'stopped when told, not when it gave up');
    assert.ok((result.operations[0]?.count ?? 0) > 0);
    await runner.kill();
    assert.equal(isAlive(runner.child.pid), false);
  });

  it('[RUN-09] can be aborted while workers hang in opening the files of the next stage', async () => {
    const list = [{ operation: 'list', weight: 1 }] as const;
    const stages = [stageOf({ mix: list, durationMs: 100 }), stageOf()];
    runner.prepare(assignmentOf(folder.path, stages));
    await runner.event('ready');
    hang('f2');
    await runner.start(0);
    await runner.event('stageResult');
    runner.tell({ kind: 'abort', reason: 'Ctrl-C', graceMs: 300 });
    await runner.event('aborted');
    assert.deepEqual(
      runner.all('ready').map(({ stage }) => stage),
      [0],
    );
  });

  it('drains: what is in flight at the end is awaited while intervals go on', async () => {
    const stage = stageOf({ mix: getMix, durationMs: 300, threads: 2, access: 'sequential' });
    runner.prepare(assignmentOf(folder.path, [stage]));
    await runner.event('ready');
    hang('f7');
    await runner.start(0);
    await runner.event('draining');
    await runner.event('interval', ({ last }) => last >= 1);
    assert.equal(runner.all('stageResult').length, 0);
    const fifo = path.join(folder.path, 'ds1', '0', 'data', 'f7');
    // A writer ends the wait; a pipe cannot be read at an offset, which is then the operation's error.
    fs.closeSync(fs.openSync(fifo, 'w'));
    const result = await runner.event('stageResult');
    assert.deepEqual(result.operations[0]?.errors, [{ code: 'ESPIPE', count: 1 }]);
    assert.equal(result.endedBy, 'duration');
  });

  it('[RUN-10] dies with its owner when the channel closes, even with a stuck worker', async () => {
    const stage = stageOf({ mix: getMix, durationMs: 600_000, access: 'sequential' });
    runner.prepare(assignmentOf(folder.path, [stage]));
    await runner.event('ready');
    hang('f7');
    await runner.start(0);
    await runner.event('report', ({ oldestInFlightNs }) => oldestInFlightNs > 100e6);
    runner.child.disconnect();
    assert.deepEqual(await runner.exited, { code: null, signal: 'SIGKILL' });
  });

  it('[RUN-10] [RPC-06] stops when the lease is over', async () => {
    const stage = stageOf({ durationMs: 600_000 });
    runner.prepare(assignmentOf(folder.path, [stage]));
    await runner.start(0);
    await runner.event('started');
    const toldNs = process.hrtime.bigint();
    runner.tell({ kind: 'lease', untilNs: toldNs + second / 5n });
    assert.deepEqual(await runner.exited, { code: null, signal: 'SIGKILL' });
    const tookNs = process.hrtime.bigint() - toldNs;
    assert.ok(tookNs < 30n * second, 'also when the one before was longer');
  });

  it('[RUN-10] stops when the lease is over even while its main thread is stuck in a system call', async () => {
    const assignment = assignmentOf(folder.path, [stageOf()]);
    runner.prepare({ ...assignment, mode: 'prepare' });
    await runner.event('prepared');
    await runner.kill();
    const manifest = path.join(folder.path, 'ds1', '0', '.muster-manifest-0.json');
    fs.unlinkSync(manifest);
    execFileSync('mkfifo', [manifest]);
    runner = new RunnerProcess();
    const beganNs = process.hrtime.bigint();
    runner.prepare({ ...assignment, timeouts: { ...assignment.timeouts, leaseMs: 1_500 } });
    assert.deepEqual(await runner.exited, { code: null, signal: 'SIGKILL' });
    const tookNs = process.hrtime.bigint() - beganNs;
    assert.ok(tookNs < 75n * second, 'the lease is its own, not the default of 150 s');
    assert.equal(runner.all('ready').length, 0);
  });

  it('lives on when the lease is renewed', async () => {
    runner.prepare(assignmentOf(folder.path, [stageOf({ durationMs: 100 })]));
    await runner.event('ready');
    const beginNs = process.hrtime.bigint();
    runner.tell({ kind: 'lease', untilNs: beginNs + 3n * second });
    runner.tell({ kind: 'lease', untilNs: beginNs + 60n * second });
    await runner.event('report', () => process.hrtime.bigint() - beginNs > 4n * second);
    await runner.start(0);
    await runner.event('stageResult');
  });

  it('says what went wrong and exits with 70 when it meets a bug of its own', async () => {
    const assignment = assignmentOf(folder.path, [stageOf()]);
    runner.prepare({ ...assignment, dataset: { ...assignment.dataset, own: undefined as never } });
    const { code, message } = await runner.failure();
    assert.equal(code, 'internal');
    assert.match(message, /TypeError/u);
    assert.deepEqual(await runner.exited, { code: 70, signal: null });
  });

  it('says so when there is no memory for blocks of that size', async () => {
    const dataset = { fileSizeBytes: 2 ** 34 };
    runner.prepare(assignmentOf('null:', [stageOf({ blockSizeBytes: 2 ** 33 })], { dataset }));
    const { code, message } = await runner.failure();
    assert.equal(code, 'config');
    assert.match(message, /no memory for 1 × a block_size of 8589934592 bytes/u);
  });

  it('does not stop at the signals that a terminal sends to all processes of a group', async () => {
    runner.prepare(assignmentOf(folder.path, [stageOf({ durationMs: 300 })]));
    await runner.start(0);
    await runner.event('started');
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) runner.child.kill(signal);
    assert.equal((await runner.event('stageResult')).endedBy, 'duration');
  });
});
