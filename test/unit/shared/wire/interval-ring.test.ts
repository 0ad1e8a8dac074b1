import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Interval } from '../../../../src/shared/model/messages.js';
import {
  IntervalRing,
  ringLimit,
  sharedFrameBytes,
} from '../../../../src/shared/wire/interval-ring.js';
import type { LiveFrame } from '../../../../src/shared/wire/interval-ring.js';
import { mergeIntervals } from '../../../../src/shared/wire/merge-intervals.js';
import { concatenate } from '../../../support/lossy-pipe.js';
import { anIntervalOf, statsOf } from '../../../support/sample-messages.js';

function filled(count: number): IntervalRing {
  const ring = new IntervalRing(concatenate);
  for (let first = 0; first < count; first += 1) {
    const read = statsOf({ count: first + 1, service: Uint8Array.of(first % 256) });
    ring.add(anIntervalOf({ first, operations: [read] }));
  }
  return ring;
}

const nowMs = 5000;

function firsts(frame: LiveFrame | undefined): number[] | undefined {
  return frame?.entries.map(({ interval }) => interval.first);
}

function only({ kind, entries }: LiveFrame): Interval {
  const [entry, ...others] = entries;
  assert.ok(entry && others.length === 0 && kind === 'interval');
  return entry.interval;
}

/** Takes out everything that waits, as written with sequences from `from`. */
function drain(ring: IntervalRing, from = 1n) {
  const ranges: { first: number; last: number; samples: number; count: number }[] = [];
  let sequence = from;
  for (let frame = ring.next(1, nowMs); frame; frame = ring.next(1, nowMs)) {
    const { first, last, operations } = only(frame);
    const samples = operations[0]?.service.length ?? 0;
    ranges.push({ first, last, samples, count: operations[0]?.count ?? 0 });
    ring.wrote(frame, sequence);
    sequence += 1n;
  }
  return ranges;
}

test('[STAT-02] beyond 1000 the two oldest never-written intervals become one, and nothing is lost', () => {
  const ring = filled(1050);
  assert.equal(ring.size, 1000);
  assert.equal(ring.merged, 50);
  assert.equal(ring.dropped, 0);
  const ranges = drain(ring);
  assert.deepEqual(ranges[0], { first: 0, last: 50, samples: 51, count: 51 });
  let next = 0;
  for (const { first, last, samples, count } of ranges) {
    assert.equal(first, next, 'no hole, no overlap');
    assert.equal(samples, last - first + 1, 'histograms are added');
    assert.equal(count, last + 1, 'counters are the later ones');
    next = last + 1;
  }
  assert.equal(next, ringLimit + 50);
});

test('an interval that was written keeps its range, because the peer may hold it', () => {
  const ring = filled(10);
  const first = ring.next(1, nowMs);
  assert.ok(first);
  ring.wrote(first, 1n);
  ring.lost(0n);
  for (let index = 10; index < ringLimit + 5; index += 1) ring.add(anIntervalOf({ first: index }));
  const ranges = drain(ring);
  assert.deepEqual([ranges[0]?.first, ranges[0]?.last], [0, 0]);
  assert.deepEqual([ranges[1]?.first, ranges[1]?.last], [1, 6]);
});

test('intervals of different stages are never joined', () => {
  const ring = new IntervalRing(concatenate);
  for (let stage = 0; stage <= ringLimit; stage += 1) {
    ring.add(anIntervalOf({ stage, first: stage }));
  }
  assert.equal(ring.size, ringLimit);
  assert.equal(ring.merged, 0);
  assert.equal(ring.dropped, 1, 'the oldest is given up, and counted');
});

test('what the peer has seen is forgotten; what it misses waits again', () => {
  const ring = filled(6);
  drain(ring, 11n);
  assert.equal(ring.seen(12n, nowMs + 70), 70, 'how long the newest of it took');
  assert.equal(ring.seen(12n, nowMs + 80), undefined);
  assert.equal(ring.size, 4);
  assert.equal(ring.next(1, nowMs), undefined);
  ring.lost(14n);
  assert.deepEqual(
    drain(ring, 20n).map(({ first }) => first),
    [4, 5],
  );
});

test('[LINK-04] after a restart everything unseen waits again but for what the peer holds', () => {
  const ring = filled(10);
  drain(ring);
  ring.seen(2n, nowMs);
  ring.restart([
    { stage: 0, first: 3, last: 5 },
    { stage: 1, first: 0, last: 99 },
  ]);
  assert.deepEqual(
    drain(ring).map(({ first }) => first),
    [2, 6, 7, 8, 9],
  );
});

test('an interval is packed anew after it was joined to another', () => {
  const ring = filled(1);
  const before = ring.next(1, nowMs)?.packed;
  for (let first = 1; first <= ringLimit; first += 1) ring.add(anIntervalOf({ first }));
  const after = ring.next(1, nowMs);
  assert.ok(after);
  const { first, last } = only(after);
  assert.deepEqual([first, last], [0, 1]);
  assert.notDeepEqual(after.packed, before);
});

test('[LINK-11] with several per frame, intervals wait for each other only while a frame is on its way', () => {
  const ring = filled(1);
  const alone = ring.next(4, nowMs);
  assert.ok(alone);
  assert.deepEqual([alone.kind, firsts(alone)], ['intervals', [0]], 'nothing is on its way');
  ring.wrote(alone, 1n);
  for (const first of [1, 2, 3]) ring.add(anIntervalOf({ first }));
  assert.equal(ring.next(4, nowMs), undefined);
  assert.ok(ring.isWaiting);
  for (const first of [4, 5]) ring.add(anIntervalOf({ first }));
  const four = ring.next(4, nowMs);
  assert.ok(four);
  assert.deepEqual([four.kind, firsts(four)], ['intervals', [1, 2, 3, 4]]);
  assert.equal(ring.next(4, nowMs), four, 'made once');
  ring.wrote(four, 2n);
  assert.equal(ring.next(4, nowMs), undefined);
  ring.seen(2n, nowMs + 100);
  assert.deepEqual(firsts(ring.next(4, nowMs)), [5], 'everything has been acknowledged');
});

test('[LINK-11] intervals of one frame that was lost wait again, each by itself', () => {
  const ring = filled(4);
  const frame = ring.next(4, nowMs);
  assert.ok(frame);
  ring.wrote(frame, 1n);
  ring.lost(0n);
  assert.deepEqual(
    drain(ring, 2n).map(({ first }) => first),
    [0, 1, 2, 3],
  );
});

test('[LINK-11] at the end of a stage nothing waits for others', () => {
  const ring = filled(1);
  drain(ring);
  ring.add(anIntervalOf({ first: 1 }));
  ring.add(anIntervalOf({ first: 2 }));
  assert.equal(ring.next(8, nowMs), undefined);
  ring.hurry();
  assert.deepEqual(
    firsts(ring.next(8, nowMs)),
    [1],
    'one by one: a controller waits for what keeps coming',
  );
});

test('[LINK-11] [STAT-04] several intervals share a frame of 4 KiB at most, one alone may be larger', () => {
  const ring = new IntervalRing(concatenate);
  const big = statsOf({ service: new Uint8Array(sharedFrameBytes / 2 - 200) });
  const huge = statsOf({ service: new Uint8Array(2 * sharedFrameBytes) });
  for (const [first, operation] of [big, big, big, huge].entries()) {
    ring.add(anIntervalOf({ first, operations: [operation] }));
  }
  const frames: (number[] | undefined)[] = [];
  for (let frame = ring.next(2, nowMs); frame; frame = ring.next(2, nowMs)) {
    frames.push(firsts(frame));
    ring.wrote(frame, BigInt(frames.length));
    ring.seen(BigInt(frames.length), nowMs);
  }
  assert.deepEqual(frames, [[0, 1], [2], [3]]);
});

test('joining keeps the worst gauge, averages CPU over the seconds, and keeps an operation that ended', () => {
  const earlier = anIntervalOf({
    first: 0,
    last: 2,
    inFlight: 9,
    oldestInFlightNs: 70,
    sampledLateNs: 5,
    runnerCpu: 1,
    hostCpu: 0.2,
    runnerLoopDelayNs: 8,
    busiestThreadCpu: 1,
    lateWakeUps: 3,
    runnerGcNs: 40,
    controlLoopDelayNs: 2,
    controlGcNs: 1,
    operations: [statsOf({ operation: 'write', count: 4, failed: Uint8Array.of(1) })],
  });
  const later = anIntervalOf({
    first: 3,
    inFlight: 2,
    oldestInFlightNs: 50,
    sampledLateNs: 6,
    runnerCpu: 2,
    hostCpu: 0.6,
    runnerLoopDelayNs: 7,
    busiestThreadCpu: 0.6,
    lateWakeUps: 4,
    runnerGcNs: 5,
    controlLoopDelayNs: 9,
    controlGcNs: 2,
    operations: [statsOf({ operation: 'read', count: 1, response: Uint8Array.of(2) })],
  });
  const joined = mergeIntervals(earlier, later, concatenate);
  assert.deepEqual(
    { ...joined, hostCpu: Math.round(joined.hostCpu * 1000) / 1000 },
    {
      stage: 0,
      first: 0,
      last: 3,
      inFlight: 2,
      oldestInFlightNs: 70,
      sampledLateNs: 6,
      runnerCpu: 1.25,
      hostCpu: 0.3,
      runnerLoopDelayNs: 8,
      busiestThreadCpu: 0.9,
      lateWakeUps: 7,
      runnerGcNs: 45,
      controlLoopDelayNs: 9,
      controlGcNs: 3,
      operations: [...earlier.operations, ...later.operations],
    },
  );
});

test('[LINK-04] whatever is written, seen, lost and restarted, the ranges that leave cover every second', () => {
  const act = fc.oneof(
    { weight: 6, arbitrary: fc.constant('add' as const) },
    { weight: 3, arbitrary: fc.constant('write' as const) },
    { weight: 1, arbitrary: fc.constantFrom('seen' as const, 'lost' as const, 'restart' as const) },
  );
  const perFrames = fc.constantFrom(1, 2, 8);
  fc.assert(
    fc.property(fc.array(act, { maxLength: 3000, size: 'max' }), perFrames, (acts, perFrame) => {
      const ring = new IntervalRing(concatenate);
      const held = new Set<number>();
      const written: { first: number; last: number }[] = [];
      const arrive = (): void => {
        for (const { first, last } of written.splice(0)) {
          for (let second = first; second <= last; second += 1) held.add(second);
        }
      };
      let seconds = 0;
      let sequence = 0n;
      for (const what of acts) {
        if (what === 'add') ring.add(anIntervalOf({ first: seconds++ }));
        if (what === 'write') {
          const frame = ring.next(perFrame, nowMs);
          if (!frame) continue;
          assert.ok(frame.entries.length <= perFrame);
          sequence += 1n;
          ring.wrote(frame, sequence);
          written.push(...frame.entries.map(({ interval }) => interval));
        }
        if (what === 'seen') {
          arrive();
          ring.seen(sequence, nowMs);
        }
        if (what === 'lost') {
          written.length = 0;
          ring.lost(0n);
        }
        if (what === 'restart') {
          written.length = 0;
          sequence = 0n;
          ring.restart([]);
        }
        assert.ok(ring.size <= ringLimit);
      }
      arrive();
      ring.seen(sequence, nowMs);
      drain(ring, sequence + 1n).forEach((range) => written.push(range));
      arrive();
      assert.equal(held.size, seconds);
    }),
    { numRuns: 60 },
  );
});
