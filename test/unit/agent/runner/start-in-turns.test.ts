import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, it } from 'node:test';
import { Aborted } from '../../../../src/agent/runner/failure.js';
import type { RunnerEvent } from '../../../../src/agent/runner/protocol.js';
import { startInTurns } from '../../../../src/agent/runner/start-in-turns.js';
import { atNextTurn } from '../../../support/lane-load.js';
import { ManualClock } from '../../../support/manual-clock.js';

const cores = availableParallelism();

const turn = () => new Promise((resolve) => atNextTurn(resolve));

function deferred() {
  let resolve = (): void => undefined;
  let reject = (_error: Error): void => undefined;
  const promise = new Promise<void>((...both) => ([resolve, reject] = both));
  return { promise, resolve: () => resolve(), reject: (error: Error) => reject(error) };
}

function starting(count: number) {
  const clock = new ManualClock();
  const events: RunnerEvent[] = [];
  const abort = new AbortController();
  const threads: { warm: () => void; open: () => void; fail: (error: Error) => void }[] = [];
  const parts = { clock, emit: (event: RunnerEvent) => events.push(event), signal: abort.signal };
  const done = startInTurns(parts, count, (index) => {
    assert.equal(index, threads.length);
    const warm = deferred();
    const open = deferred();
    threads.push({ warm: warm.resolve, open: open.resolve, fail: open.reject });
    return { warm: warm.promise, open: open.promise, index };
  });
  done.catch(() => undefined);
  /** The last that was said of how far it is. */
  const said = async () => {
    await turn();
    clock.advance(1000);
    const last = events.at(-1);
    assert.ok(last?.kind === 'progress');
    return [last.phase, last.filesDone, last.filesTotal];
  };
  return { clock, threads, done, said, abort };
}

describe('threads that are started in turns', () => {
  it('are as many at a time as there are cores, and whoever opens keeps nobody from starting', async () => {
    const { threads, said, done, clock } = starting(cores + 2);
    assert.deepEqual(await said(), ['threads', 0, cores + 2]);
    assert.equal(threads.length, cores);
    threads[0]!.warm();
    assert.deepEqual(await said(), ['threads', 1, cores + 2]);
    assert.equal(threads.length, cores + 1, 'the first is warm, though nothing is open yet');
    for (const thread of threads) thread.warm();
    await turn();
    for (const thread of threads) thread.warm();
    assert.deepEqual(await said(), ['stage', 0, cores + 2], 'from now on it is the storage');
    for (const thread of threads) thread.open();
    assert.deepEqual(
      (await done).map(({ index }) => index),
      Array.from({ length: cores + 2 }, (_, index) => index),
    );
    assert.equal(clock.armed, 0);
  });

  it('end with the first failure, whatever the others do', async () => {
    const { threads, done, clock } = starting(cores + 2);
    await turn();
    threads[0]!.warm();
    threads[0]!.fail(new Error('no such file'));
    await assert.rejects(done, /no such file/u);
    assert.equal(clock.armed, 0);
  });

  it('[RUN-12] are no more of them after an abort', async () => {
    const { threads, done, abort } = starting(cores + 2);
    await turn();
    abort.abort();
    for (const thread of threads) thread.warm();
    await assert.rejects(done, Aborted);
    assert.equal(threads.length, cores);
  });
});
