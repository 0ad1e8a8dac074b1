import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { BulkCredit, chunkBytes } from '../../../../src/shared/wire/bulk-credit.js';

const mib = 1024 * 1024;

/** Sends as much bulk as the credit allows over a link of a given rate; the largest amount ever on its way. */
function overLink(
  bytesPerSecond: number,
  seconds: number,
  roundTripMs = 5,
  credit = new BulkCredit(),
) {
  const changes: { limit: number; perSecond: number }[] = [];
  const flying: { sequence: bigint; atMs: number }[] = [];
  let sequence = 0n;
  let freeAtMs = 0;
  let most = 0;
  let delivered = 0;
  for (let nowMs = 0; nowMs < seconds * 1000; nowMs += 1) {
    while (flying[0] && flying[0].atMs <= nowMs) {
      const { sequence: seen } = flying.shift() ?? { sequence: 0n };
      credit.seen(seen, nowMs);
      const changed = credit.changed(nowMs);
      if (changed) changes.push(changed);
      delivered += chunkBytes;
    }
    while (credit.allows(chunkBytes, nowMs)) {
      sequence += 1n;
      credit.wrote(sequence, chunkBytes);
      freeAtMs = Math.max(nowMs, freeAtMs) + (chunkBytes / bytesPerSecond) * 1000;
      flying.push({ sequence, atMs: freeAtMs + roundTripMs });
    }
    most = Math.max(most, credit.inFlightBytes);
  }
  return { changes, most, delivered, used: delivered / (bytesPerSecond * seconds) };
}

test('[STAT-04] on a 64 KiB/s link at most half a second of bulk is on its way, and the link is used', () => {
  const { most, used } = overLink(64 * 1024, 30);
  assert.ok(most <= 32 * 1024 + chunkBytes, `${most} bytes on their way`);
  assert.ok(used > 0.9, `only ${used} of the link used`);
});

test('a fast link is filled within a second, a link slower than a chunk a second still moves', () => {
  assert.ok(overLink(20 * mib, 3).used > 0.7);
  assert.ok(overLink(20 * mib, 3, 50).delivered > 10 * mib);
  assert.ok(overLink(1024, 64).delivered >= 3 * chunkBytes);
});

test('never more than 4 MiB is on its way, however fast the link', () => {
  assert.ok(overLink(1024 * mib, 2).most <= 4 * mib);
});

test('the credit of a fast link is forgotten within a second of silence', () => {
  const credit = new BulkCredit();
  for (let step = 1n; step <= 100n; step += 1n) {
    credit.wrote(step, mib / 4);
    credit.seen(step, 1000 + Number(step));
  }
  assert.equal(credit.limit(1100), 4 * mib);
  assert.equal(credit.limit(2300), chunkBytes);
});

test('a frame larger than the credit may go when nothing else is on its way, and only then', () => {
  const credit = new BulkCredit();
  assert.ok(credit.allows(10 * chunkBytes, 0));
  credit.wrote(1n, 10 * chunkBytes);
  assert.ok(!credit.allows(1, 0));
  credit.reset();
  assert.ok(credit.allows(1, 0));
});

test('[LINK-11] a change of credit is told once it has lasted, and not again while the link is as it was', () => {
  const slow = overLink(64 * 1024, 30).changes;
  assert.equal(slow.length, 1);
  assert.ok(Math.abs((slow[0]?.limit ?? 0) - 32 * 1024) < 8 * 1024, JSON.stringify(slow));
  assert.ok(Math.abs((slow[0]?.perSecond ?? 0) - 64 * 1024) < 16 * 1024, JSON.stringify(slow));
  assert.deepEqual(overLink(16 * 1024, 30).changes, [], 'always the least credit');
  assert.deepEqual(overLink(20 * mib, 2).changes, [], 'a burst is no change');
});

test('[LINK-11] less credit is told as well', () => {
  const credit = new BulkCredit();
  let sequence = 0n;
  const told: number[] = [];
  for (let ms = 0; ms < 20_000; ms += 20) {
    sequence += 1n;
    credit.wrote(sequence, ms < 10_000 ? 8 * chunkBytes : chunkBytes / 2);
    credit.seen(sequence, ms);
    const changed = credit.changed(ms);
    if (changed) told.push(Math.round(changed.limit / chunkBytes));
  }
  assert.equal(told.length, 2);
  assert.ok((told[0] ?? 0) > 2 * (told[1] ?? 0), told.join(' '));
});

test('[STAT-04] unacknowledged bulk never exceeds max(16 KiB, 500 ms of the acknowledged rate), at most 4 MiB', () => {
  const act = fc.record({
    what: fc.constantFrom('send', 'ack'),
    bytes: fc.integer({ min: 1, max: chunkBytes }),
    passMs: fc.integer({ min: 0, max: 400 }),
  });
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
      const credit = new BulkCredit();
      const acked: { atMs: number; bytes: number }[] = [];
      const flying: { sequence: bigint; bytes: number }[] = [];
      let nowMs = 5000;
      let sequence = 0n;
      for (const { what, bytes, passMs } of acts) {
        nowMs += passMs;
        if (what === 'ack') {
          const frame = flying.shift();
          if (!frame) continue;
          credit.seen(frame.sequence, nowMs);
          acked.push({ atMs: nowMs, bytes: frame.bytes });
        } else if (credit.allows(bytes, nowMs)) {
          sequence += 1n;
          credit.wrote(sequence, bytes);
          flying.push({ sequence, bytes });
          const lastSecond = acked
            .filter(({ atMs }) => atMs > nowMs - 1000)
            .reduce((sum, frame) => sum + frame.bytes, 0);
          const limit = Math.min(4 * mib, Math.max(chunkBytes, lastSecond / 2));
          assert.ok(credit.inFlightBytes <= limit, `${credit.inFlightBytes} > ${limit}`);
        }
      }
    }),
  );
});
