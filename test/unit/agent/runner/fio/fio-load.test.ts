import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Interval } from '../../../../../src/shared/model/messages.js';
import { ClockBase } from '../../../../../src/agent/runner/clock-base.js';
import { FioCounts } from '../../../../../src/agent/runner/fio/fio-counts.js';
import { FioLoad } from '../../../../../src/agent/runner/fio/fio-load.js';
import type { FioStage } from '../../../../../src/agent/runner/fio/fio-load.js';
import type { FioProcess } from '../../../../../src/agent/runner/fio/fio-process.js';
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

test('[RES-02] seconds in which fio does not answer, because a thread of it waits for its operation, are one interval', () => {
  const clock = new ManualClock(0);
  const intervals: Interval[] = [];
  let asked = 0;
  const parts = {
    clock,
    base: new ManualBase(clock),
    signal: new AbortController().signal,
    emit: (event: { readonly kind: string }) => {
      if (event.kind === 'interval') intervals.push(event as unknown as Interval);
    },
  } as unknown as RunnerParts;
  const process = {
    letGo: () => undefined,
    askStatus: () => asked++,
  } as unknown as FioProcess;
  const counts = new FioCounts(['read']);
  const fio: FioStage = {
    parts,
    stage: assignedStage,
    process,
    counts,
    mechanism: '',
    warnings: new Set(),
    onStatus: () => undefined,
  };
  new FioLoad(fio, noChurn, { epoch: 1, atNs: 0 });
  /** 100 operations a second go on meanwhile. */
  const answer = (): void => {
    const done = clock.nowMs() / 10;
    const read = { bytes: done * 4096, issued: done, bins: new Map([[5000, done]]) };
    counts.take({
      kinds: new Map([['read', read]]),
      syncs: new Map(),
      errors: 0,
      firstErrno: 0,
      runtimeMs: clock.nowMs(),
    });
    fio.onStatus();
  };
  const rows = (): unknown[] =>
    intervals.map(({ first, last, operations }) => [first, last, operations[0]?.count]);

  clock.advance(1010);
  answer();
  assert.deepEqual(rows(), [[0, 0, 101]]);
  clock.advance(990);
  assert.equal(asked, 2);
  clock.advance(4010);
  answer();
  assert.deepEqual(rows().at(-1), [1, 5, 601]);
  clock.advance(990);
  assert.equal(asked, 3);
  answer();
  assert.deepEqual(rows().slice(2), [[6, 6, 700]]);
});
