import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LeaseTurns } from '../../../../src/controller/core/lease-turns.js';

/** Every 100 ms an acknowledgement may be due; the turn comes once a second. @returns when leases went, in ms */
function leases(turns: LeaseTurns, acksDue: readonly boolean[], turnAt = 0): number[] {
  const sent: number[] = [];
  let count = 0;
  for (const [step, isDue] of acksDue.entries()) {
    const nowMs = step * 100;
    if (step % 10 === turnAt && turns.inTurn({ kind: 'lease', count: ++count }, nowMs)) {
      sent.push(nowMs);
    }
    if (isDue && turns.besidesAck(nowMs)) sent.push(nowMs);
  }
  return sent;
}

test('[RPC-06] an agent with nothing to be acknowledged has a lease a second', () => {
  const never = Array<boolean>(50).fill(false);
  assert.deepEqual(leases(new LeaseTurns(150_000), never), [0, 1000, 2000, 3000, 4000]);
});

test('[RPC-06] [PERF-07] one whose reports are acknowledged every other second has a lease with each acknowledgement, and none besides', () => {
  for (const at of [1, 3, 7, 9]) {
    const due = Array.from({ length: 60 }, (_, step) => step % 20 === at);
    const expected = [0, 2, 4].map((second) => second * 1000 + at * 100);
    assert.deepEqual(leases(new LeaseTurns(150_000), due), [0, ...expected]);
  }
});

const sometimes = fc.nat(19).map((one) => one === 0);

test('[RPC-06] whenever acknowledgements are due, leases lie less than 3.2 s and at least a tenth of a second apart', () => {
  fc.assert(
    fc.property(fc.array(sometimes, { minLength: 30, maxLength: 150 }), fc.nat(9), (due, at) => {
      const sent = leases(new LeaseTurns(150_000), due, at);
      const end = due.length * 100;
      const gaps = [...sent, end].map((ms, index) => ms - (sent[index - 1] ?? 0));
      assert.ok(Math.max(...gaps) < 3200, `at ${sent.join(', ')} of ${String(end)} ms`);
      assert.ok(Math.min(...gaps.slice(1, -1)) >= 100, `at ${sent.join(', ')} ms`);
    }),
  );
});

test('[RPC-06] a turn that comes early, after a late one, is not spared', () => {
  const turns = new LeaseTurns(150_000);
  const sent = [0, 1040, 2000, 3000].map((ms) => turns.inTurn({ kind: 'lease', count: 1 }, ms));
  assert.deepEqual(sent, [true, true, true, true]);
});

test('[RPC-06] an agent that waits for its controller for less than ten seconds has each lease in its turn', () => {
  const always = Array<boolean>(30).fill(true);
  assert.deepEqual(leases(new LeaseTurns(9_000), always), [0, 1000, 2000]);
});

test('[RPC-06] what goes with an acknowledgement is the newest lease; before the first there is none', () => {
  const turns = new LeaseTurns(150_000);
  assert.equal(turns.besidesAck(0), undefined);
  assert.ok(turns.inTurn({ kind: 'lease', count: 3 }, 100));
  assert.deepEqual(turns.besidesAck(700), { kind: 'lease', count: 3 });
});
