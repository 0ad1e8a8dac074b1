import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEnd } from '../../../../src/controller/core/run-io.js';
import type { RunSnapshot } from '../../../../src/controller/core/snapshot.js';
import { Interrupts } from '../../../../src/controller/shell/interrupts.js';
import { watched } from '../../../../src/controller/shell/watched-run.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { agentStatus, snapshotOf } from '../../../support/snapshots.js';

/** A run of ten seconds whose view does `update`. */
function tenSeconds(update: (snapshot: RunSnapshot) => void) {
  const clock = new ManualClock();
  const { status, live } = snapshotOf([agentStatus(0)]);
  let loadsMade = 0;
  let end = (_: RunEnd): void => undefined;
  const over = new Promise<RunEnd>((resolve) => {
    end = resolve;
  });
  const aggregate = {
    live: () => {
      loadsMade += 1;
      return live;
    },
  };
  const ended = watched(
    { clock, onStop: () => () => undefined },
    new Interrupts({ onSignal: () => () => undefined }),
    {
      run: { snapshot: () => status },
      driver: { drive: () => over, feed: () => undefined, leave: () => Promise.resolve() },
      results: { aggregate },
      view: { update, close: () => undefined },
      began: clock.nowMs(),
    },
  );
  clock.advance(10_000);
  end(done);
  return { clock, ended, live, loadsMade };
}

const done: RunEnd = {
  outcome: 'completed',
  reason: undefined,
  exitCode: 0,
  notRepresentative: false,
};

test('[RUN-11] while a run goes on what is shown is at most a second old, and nothing is shown after it', async () => {
  const times: number[] = [];
  const { clock, ended } = tenSeconds(({ elapsedMs }) => times.push(elapsedMs));
  const gaps = [...times, 10_000].map((at, index) => at - (times[index - 1] ?? 0));
  assert.ok(Math.max(...gaps) <= 1000, `shown at ${times.join(', ')} ms`);
  assert.equal(await ended, done);
  assert.equal(clock.armed, 0);
});

test('[RUN-17] what no view reads is not put together, and what it reads twice only once', async () => {
  const seen: unknown[] = [];
  const { ended, live, loadsMade } = tenSeconds((snapshot) => {
    if (snapshot.elapsedMs === 5000) seen.push(snapshot.live, snapshot.live);
  });
  assert.deepEqual(seen, [live, live]);
  assert.equal(loadsMade, 1);
  await ended;
});
