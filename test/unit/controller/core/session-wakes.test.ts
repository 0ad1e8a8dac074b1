import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Instant } from '../../../../src/shared/kernel/clock.js';
import type { AgentSession } from '../../../../src/controller/core/agent-session.js';
import { SessionWakes } from '../../../../src/controller/core/session-wakes.js';

const instant = (ms: number): Instant => ({ ms, ns: BigInt(ms) * 1_000_000n, unixMs: ms });

/** Agents that want to be woken up at the times in `wakesMs`, and how often each was asked and woken. */
function fleet(count: number, firstMs: number | undefined) {
  const wakesMs = Array.from({ length: count }, () => firstMs);
  const asked = wakesMs.map(() => 0);
  const ticks = wakesMs.map(() => 0);
  const sessions = wakesMs.map((_, index) => ({
    wakeAt(): number | undefined {
      asked[index]! += 1;
      return wakesMs[index];
    },
    tick(): void {
      ticks[index]! += 1;
    },
  }));
  // Of a session only these two are used.
  const wakes = new SessionWakes(sessions as unknown as AgentSession[]);
  return { wakes, wakesMs, asked, ticks };
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);

test('[PERF-07] of a large fleet only those are looked at that something was heard of', () => {
  const { wakes, wakesMs, asked } = fleet(1000, 5000);
  assert.equal(wakes.look(1000), 5000);
  assert.equal(total(asked), 1000);
  wakesMs[7] = 3000;
  wakes.touch(7);
  assert.equal(wakes.look(1100), 3000);
  assert.equal(total(asked), 1001);
});

test('what changes for an agent that nothing was heard of is seen within a quarter of a second', () => {
  const { wakes, wakesMs } = fleet(1000, 5000);
  wakes.look(1000);
  wakesMs[7] = 1400;
  assert.equal(wakes.look(1249), 5000);
  assert.equal(wakes.look(1250), 1400);
});

test('what changes for all is seen at once when that is said, and in a small fleet always', () => {
  const large = fleet(1000, 5000);
  large.wakes.look(1000);
  large.wakesMs[7] = 1400;
  large.wakes.touchAll();
  assert.equal(large.wakes.look(1001), 1400);
  const small = fleet(3, 5000);
  small.wakes.look(1000);
  small.wakesMs[2] = 1400;
  assert.equal(small.wakes.look(1001), 1400);
});

test('those are ticked whose time has come and those that were touched, and each is looked at afterwards', () => {
  const { wakes, wakesMs, asked, ticks } = fleet(1000, 5000);
  wakesMs[3] = 1100;
  wakes.look(1000);
  wakes.touch(7);
  wakes.tick(instant(1100));
  assert.deepEqual([ticks[3], ticks[7], total(ticks)], [1, 1, 2]);
  wakesMs[3] = 6000;
  assert.equal(wakes.look(1100), 5000);
  assert.deepEqual([asked[3], asked[7], total(asked)], [2, 2, 1002]);
  wakes.tick(instant(1200));
  assert.equal(total(ticks), 2, 'and not again before it is due');
});

test('without anybody to be woken up there is no time for it', () => {
  assert.equal(fleet(3, undefined).wakes.look(1000), Infinity);
});
