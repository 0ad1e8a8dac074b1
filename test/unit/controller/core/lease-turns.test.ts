import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LeaseTurns } from '../../../../src/controller/core/lease-turns.js';

/**
 * At these times something comes that is to be acknowledged 1.1 s later, unless a lease does so before; the turn comes once a second.
 * @returns when leases went, in ms
 */
function leases(
  turns: LeaseTurns,
  { comesAt = () => false, turnAt = 0, overMs = 5_000 }: Partial<Course>,
): number[] {
  const sent: number[] = [];
  let ackAtMs: number | undefined;
  for (let nowMs = 0; nowMs < overMs; nowMs += 100) {
    const isTurn = nowMs % 1000 === turnAt;
    const lease = { kind: 'lease', count: nowMs } as const;
    const isInTurn = isTurn && turns.inTurn(lease, nowMs, ackAtMs !== undefined);
    const isAck = ackAtMs !== undefined && nowMs >= ackAtMs;
    if (isInTurn || (isAck && turns.besidesAck(nowMs) !== undefined)) sent.push(nowMs);
    if (isInTurn || isAck) ackAtMs = undefined;
    if (comesAt(nowMs)) ackAtMs ??= nowMs + 1100;
  }
  return sent;
}

interface Course {
  readonly comesAt: (nowMs: number) => boolean;
  readonly turnAt: number;
  readonly overMs: number;
}

test('[RPC-06] an agent with nothing to be acknowledged has a lease a second', () => {
  assert.deepEqual(leases(new LeaseTurns(150_000), {}), [0, 1000, 2000, 3000, 4000]);
});

test('[RPC-06] [PERF-07] one that reports every second has a lease with each acknowledgement, every other second, and none besides', () => {
  for (const at of [100, 300, 500, 700, 900]) {
    const comesAt = (nowMs: number): boolean => nowMs % 1000 === at;
    const sent = leases(new LeaseTurns(150_000), { comesAt, overMs: 7_000 });
    const expected = [1, 3, 5].map((second) => second * 1000 + at + 100);
    assert.deepEqual(sent, [0, ...expected], `reports ${String(at)} ms after the turn`);
  }
});

test('[RPC-06] whenever something comes, leases lie less than 3.3 s and at least a tenth of a second apart', () => {
  const course = fc.array(fc.boolean(), { minLength: 40, maxLength: 150 });
  fc.assert(
    fc.property(course, fc.nat(9), (comes, at) => {
      const overMs = comes.length * 100;
      const comesAt = (nowMs: number): boolean => comes[nowMs / 100] === true;
      const turns = new LeaseTurns(150_000);
      const sent = leases(turns, { comesAt, turnAt: at * 100, overMs });
      const gaps = [...sent, overMs].map((ms, index) => ms - (sent[index - 1] ?? 0));
      assert.ok(Math.max(...gaps) < 3300, `at ${sent.join(', ')} of ${String(overMs)} ms`);
      assert.ok(Math.min(...gaps.slice(1, -1)) >= 100, `at ${sent.join(', ')} ms`);
    }),
  );
});

test('[RPC-06] a turn that comes early, after a late one, is not spared', () => {
  const turns = new LeaseTurns(150_000);
  const sent = [0, 1040, 2000, 3000].map((ms) =>
    turns.inTurn({ kind: 'lease', count: 1 }, ms, false),
  );
  assert.deepEqual(sent, [true, true, true, true]);
});

test('[RPC-06] an agent that waits for its controller for less than ten seconds has each lease in its turn', () => {
  const comesAt = (): boolean => true;
  assert.deepEqual(leases(new LeaseTurns(9_000), { comesAt, overMs: 3_000 }), [0, 1000, 2000]);
});

test('[RPC-06] what goes with an acknowledgement is the newest lease; before the first there is none', () => {
  const turns = new LeaseTurns(150_000);
  assert.equal(turns.besidesAck(0), undefined);
  assert.ok(turns.inTurn({ kind: 'lease', count: 3 }, 100, false));
  assert.deepEqual(turns.besidesAck(700), { kind: 'lease', count: 3 });
});
