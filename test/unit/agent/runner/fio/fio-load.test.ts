import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StageAssignment } from '../../../../../src/shared/model/assignment.js';
import type { Interval } from '../../../../../src/shared/model/messages.js';
import { ClockBase } from '../../../../../src/agent/runner/clock-base.js';
import { FioCounts } from '../../../../../src/agent/runner/fio/fio-counts.js';
import { FioLoad } from '../../../../../src/agent/runner/fio/fio-load.js';
import type { FioStage } from '../../../../../src/agent/runner/fio/fio-load.js';
import type { FioEnd, FioRun } from '../../../../../src/agent/runner/fio/fio-process.js';
import type { FioStatus } from '../../../../../src/agent/runner/fio/status.js';
import type { RunnerParts } from '../../../../../src/agent/runner/runner-parts.js';
import { noChurn } from '../../../../../src/agent/runner/stage-workers.js';
import { assignedStage } from '../../../../support/fio.js';
import { ManualClock } from '../../../../support/manual-clock.js';

class ManualBase extends ClockBase {
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    super(0);
    this.#clock = clock;
  }

  override now(): number {
    return this.#clock.nowMs() * 1e6;
  }
}

type Ends = Pick<FioRun, 'ended' | 'stop'>;

/** A load without a fio, on a clock that is moved by hand. */
function loadOf(change: Partial<StageAssignment> = {}, process: Partial<Ends> = {}) {
  const clock = new ManualClock(0);
  const intervals: Interval[] = [];
  const said: string[] = [];
  const asked = { times: 0 };
  const parts = {
    clock,
    base: new ManualBase(clock),
    signal: new AbortController().signal,
    emit: (event: { readonly kind: string }) => {
      said.push(event.kind);
      if (event.kind === 'interval') intervals.push(event as unknown as Interval);
    },
  } as unknown as RunnerParts;
  const fio: FioStage = {
    parts,
    stage: { ...assignedStage, ...change },
    process: {
      letGo: () => undefined,
      askStatus: () => asked.times++,
      ...process,
    } as unknown as FioRun,
    counts: new FioCounts(['read']),
    mechanism: '',
    warnings: new Set(['fio: what it said last']),
    onStatus: () => undefined,
  };
  return {
    clock,
    intervals,
    said,
    asked,
    fio,
    load: new FioLoad(fio, noChurn, { epoch: 1, atNs: 0 }),
  };
}

function statusOf(done: number, runtimeMs: number, errors = 0): FioStatus {
  const read = { bytes: done * 4096, issued: done, bins: new Map([[5000, done]]) };
  const kinds = new Map([['read', read]] as const);
  return { kinds, syncs: new Map(), errors, firstErrno: errors > 0 ? 5 : 0, runtimeMs };
}

test('[RES-02] seconds in which fio does not answer, because a thread of it waits for its operation, are one interval', () => {
  const { clock, intervals, asked, fio } = loadOf();
  /** 100 operations a second go on meanwhile. */
  const answer = (): void => {
    fio.counts.take(statusOf(clock.nowMs() / 10, clock.nowMs()));
    fio.onStatus();
  };
  const rows = (): unknown[] =>
    intervals.map(({ first, last, operations }) => [first, last, operations[0]?.count]);

  clock.advance(1010);
  answer();
  assert.deepEqual(rows(), [[0, 0, 101]]);
  clock.advance(990);
  assert.equal(asked.times, 2);
  clock.advance(4010);
  answer();
  assert.deepEqual(rows().at(-1), [1, 5, 601]);
  clock.advance(990);
  assert.equal(asked.times, 3);
  answer();
  assert.deepEqual(rows().slice(2), [[6, 6, 700]]);
});

test('[RUN-15] an agent is draining when the duration is over, while its fio still waits for operations', async () => {
  let end: (end: FioEnd) => void = () => undefined;
  const ended = new Promise<FioEnd>((resolve) => (end = resolve));
  const { clock, said, fio, load } = loadOf({ durationMs: 5000 }, { ended });
  const completed = load.complete();
  const draining = (): number => said.filter((kind) => kind === 'draining').length;
  clock.advance(4999);
  assert.equal(draining(), 0);
  clock.advance(1);
  assert.equal(draining(), 1);
  fio.counts.take(statusOf(100, 5000));
  end({ code: 0, signal: null });
  assert.equal((await completed).result.endedBy, 'duration');
  assert.equal(draining(), 1);
});

test('[ENG-02] operations that failed in several threads of fio are counted, and the stage is complete', async () => {
  const code = 3;
  const ended = Promise.resolve({ code, signal: null });
  for (const [limits, done, runtimeMs, endedBy] of [
    [{ durationMs: undefined, maxOperations: 100 }, 100, 1000, 'operations'],
    [{ durationMs: 5000 }, 100, 5000, 'duration'],
    // fio's runtime is that of successes.
    [{ durationMs: 5000 }, 0, 0, 'duration'],
    [{ durationMs: undefined, maxBytes: 409_600 }, 100, 1000, 'bytes'],
  ] as const) {
    const { clock, fio, load } = loadOf(limits, { ended });
    clock.advance(5000);
    fio.counts.take(statusOf(done, runtimeMs, 7));
    const { result, failure } = await load.complete();
    assert.equal(failure, undefined);
    assert.equal(result.endedBy, endedBy);
    assert.deepEqual(result.operations[0]?.errors, [{ code: 'EIO', count: 7 }]);
  }
});

test('[ENG-02] a fio that an error ended before its limits fails the agent, with what it had done', async () => {
  const ended = Promise.resolve({ code: 1, signal: null });
  for (const limits of [{ durationMs: 5000 }, { durationMs: undefined, maxOperations: 101 }]) {
    const { clock, fio, load } = loadOf(limits, { ended });
    clock.advance(1234);
    fio.counts.take(statusOf(100, 1230, 1));
    const { result, failure } = await load.complete();
    assert.equal(
      failure,
      'stage "s": fio ended after 1.2 s, before a limit was reached: fio: what it said last',
    );
    assert.equal(result.endedBy, 'error');
    assert.equal(result.operations[0]?.count, 100);
  }
});

test('[ENG-02] a fio that crashed, or has done nothing, fails the agent', async () => {
  for (const [end, done] of [
    [{ code: null, signal: 'SIGABRT' }, 100],
    [{ code: 2, signal: null }, 0],
  ] as const) {
    const { fio, load } = loadOf({}, { ended: Promise.resolve(end) });
    fio.counts.take(statusOf(done, 5000));
    await assert.rejects(
      load.complete(),
      /fio ended with (SIGABRT|code 2): fio: what it said last/,
    );
  }
});

test('[ENG-02] an agent that fails by max_error_rate has not completed its stage', async () => {
  const ended = Promise.resolve({ code: 1, signal: null });
  const { clock, fio, load } = loadOf({ maxErrorRate: 0.01 }, { ended });
  clock.advance(5000);
  fio.counts.take(statusOf(100, 5000, 50));
  const { result, failure } = await load.complete();
  assert.match(failure ?? '', /50 of 150 operations failed/);
  assert.equal(result.endedBy, 'error');
});

test('[ENG-02] a fio that comes above max_error_rate is stopped while it goes on', () => {
  let stops = 0;
  const stop = (): void => {
    stops++;
  };
  const { clock, fio } = loadOf({ maxErrorRate: 0.1 }, { stop });
  for (const [errors, expected] of [
    [10, 0],
    [12, 1],
  ] as const) {
    clock.advance(1010);
    fio.counts.take(statusOf(100, clock.nowMs(), errors));
    fio.onStatus();
    assert.equal(stops, expected, `${String(errors)} errors`);
  }
});
