import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Barrier } from '../../../../src/controller/core/barrier.js';

const at = (ms: number) => ({ ms, ns: BigInt(ms) * 1_000_000n, unixMs: ms });
const starters = [0, 1, 2].map((agent) => ({
  agent,
  offsetNs: BigInt(agent) * 1000n,
  roundTripNs: 1_000_000,
  longestProbeMs: 1,
}));

function armed(barrier: Barrier, ...agents: number[]): void {
  for (const agent of agents) barrier.armed(agent, barrier.epoch);
}

test('[RUN-20] every agent is given the one instant on its own clock', () => {
  const barrier = new Barrier(starters, 1, at(10_000));
  const orders = barrier.arm(at(10_000));
  assert.deepEqual(
    orders,
    [0, 1, 2].map((agent) => ({
      agent,
      epoch: 1,
      atNs: 11_000_000_000n + BigInt(agent) * 1000n,
    })),
  );
});

test('[RUN-28] the lead is 2 s, four round trips on a slow link, and doubles with each attempt', () => {
  const leadsOf = (barrier: Barrier) =>
    [0, 1, 2].map(() => {
      barrier.arm(at(0));
      return barrier.t0.ms;
    });
  const one = { agent: 3, offsetNs: 0n, roundTripNs: 1_000_000 };
  const restless = [...starters, { ...one, longestProbeMs: 51 }];
  assert.deepEqual(leadsOf(new Barrier(restless, 1, at(0))), [2000, 4000, 8000]);
  const lossy = [...starters, { ...one, longestProbeMs: Infinity }];
  assert.deepEqual(leadsOf(new Barrier(lossy, 1, at(0))), [2000, 4000, 8000]);

  const slow = [...starters, { ...one, roundTripNs: 900_000_000, longestProbeMs: 900 }];
  const barrier = new Barrier(slow, 1, at(0));
  assert.deepEqual(leadsOf(barrier), [3600, 7200, 14_400]);
  assert.equal(barrier.triesLeft, false);
  assert.equal(barrier.epoch, 3);
});

test('[RUN-28] [PERF-09] on links whose probes came back at once the first lead is 1 s', () => {
  const barrier = new Barrier(starters, 1, at(0));
  const leads = [0, 1, 2].map(() => {
    barrier.arm(at(0));
    return barrier.t0.ms;
  });
  assert.deepEqual(leads, [1000, 4000, 8000]);
});

test('[RUN-28] Go comes once, when all are armed and the instant is ahead', () => {
  const barrier = new Barrier(starters, 1, at(0));
  barrier.arm(at(0));
  armed(barrier, 0, 1);
  assert.equal(barrier.release(at(100)), false);
  barrier.armed(2, barrier.epoch + 1);
  assert.equal(barrier.release(at(100)), false, 'an ARMED of another epoch is none');
  armed(barrier, 2);
  assert.equal(barrier.release(at(751)), false, 'it might come too late for some');
  assert.equal(barrier.release(at(750)), true);
  assert.equal(barrier.release(at(750)), false);
});

test('[RUN-28] a lost ARMED fails the attempt for all when the instant comes', () => {
  const barrier = new Barrier(starters, 1, at(0));
  barrier.arm(at(0));
  armed(barrier, 0, 2);
  assert.equal(barrier.attemptFailed(at(999)), false);
  assert.equal(barrier.attemptFailed(at(1000)), true);
  assert.deepEqual([...barrier.culprits()], [[1, 'did not answer Start']]);
});

test('[RUN-28] an agent that was asked too late fails the attempt at once', () => {
  const barrier = new Barrier(starters, 1, at(0));
  barrier.arm(at(0));
  armed(barrier, 0, 1);
  barrier.missed(2, 1, 'the instant had passed');
  assert.equal(barrier.attemptFailed(at(10)), true);
  assert.equal(barrier.release(at(10)), false);
  assert.deepEqual([...barrier.culprits()], [[2, 'the instant had passed']]);
  assert.equal(barrier.culprits().get(2), 'the instant had passed');
});

test('[RUN-28] when all missed their Go the start failed; when one runs, the others are left behind', () => {
  const barrier = new Barrier(starters, 1, at(0));
  barrier.arm(at(0));
  armed(barrier, 0, 1, 2);
  barrier.release(at(10));
  barrier.missed(0, 1, 'no Go');
  barrier.missed(1, 1, 'no Go');
  assert.equal(barrier.attemptFailed(at(3000)), false, 'the third may run');
  assert.deepEqual(barrier.leftBehind(), []);
  barrier.ran(2);
  assert.deepEqual(barrier.leftBehind(), [0, 1]);
  assert.equal(barrier.attemptFailed(at(3000)), false);
  barrier.leave(2);
  assert.equal(barrier.attemptFailed(at(3000)), true, 'who ran is lost, the rest missed');
});

test('an agent that is lost is not waited for', () => {
  const barrier = new Barrier(starters, 1, at(0));
  barrier.arm(at(0));
  armed(barrier, 0, 1);
  barrier.leave(2);
  assert.equal(barrier.release(at(10)), true);
  assert.deepEqual(barrier.members, [0, 1]);
  barrier.leave(0);
  const again = barrier.arm(at(20));
  assert.deepEqual(
    again.map(({ agent }) => agent),
    [1],
    'nor armed again',
  );
  barrier.leave(1);
  assert.equal(barrier.release(at(30)), false, 'nobody is left to go');
});

test('[RUN-28] nobody is told to go when one that was armed cannot start any more', () => {
  const barrier = new Barrier(starters, 1, at(0));
  barrier.arm(at(0));
  armed(barrier, 0, 1, 2);
  barrier.missed(2, 1, 'files are gone');
  assert.equal(barrier.release(at(10)), false);
});

test('what is said of an older epoch counts no more', () => {
  const barrier = new Barrier(starters, 5, at(0));
  barrier.arm(at(0));
  barrier.arm(at(2000));
  assert.equal(barrier.epoch, 6);
  barrier.armed(0, 5);
  barrier.missed(1, 5, 'no Go');
  assert.equal(barrier.attemptFailed(at(2100)), false);
  assert.deepEqual([...barrier.culprits().keys()], [0, 1, 2]);
});
