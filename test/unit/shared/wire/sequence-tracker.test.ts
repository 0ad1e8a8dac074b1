import assert from 'node:assert/strict';
import test from 'node:test';
import { SequenceTracker } from '../../../../src/shared/wire/sequence-tracker.js';

test('what arrives in order is seen at once and asks for nothing', () => {
  const tracker = new SequenceTracker(2n);
  assert.equal(tracker.take(3n), 'next');
  assert.equal(tracker.take(4n), 'next');
  assert.equal(tracker.seen, 4n);
  assert.equal(tracker.nakDueMs(), undefined);
});

test('seen stays below a hole until the peer has acted on a nak', () => {
  const tracker = new SequenceTracker(0n);
  tracker.take(1n);
  assert.equal(tracker.take(4n), 'gap');
  assert.equal(tracker.seen, 1n);
  tracker.nakWritten(9n, 100);
  tracker.take(5n);
  tracker.peerHeard(8n);
  assert.equal(tracker.seen, 1n, 'that was an earlier nak');
  tracker.peerHeard(9n);
  assert.equal(tracker.seen, 5n);
});

test('trouble after the nak keeps seen below it, and asks for a nak of its own', () => {
  const tracker = new SequenceTracker(0n);
  tracker.take(3n);
  tracker.nakWritten(9n, 100);
  tracker.take(4n);
  tracker.take(6n);
  tracker.peerHeard(9n);
  assert.equal(tracker.seen, 3n, 'the nak was about the hole before 3, not about the one at 5');
  assert.equal(tracker.nakDueMs(), 300);
  tracker.nakWritten(12n, 300);
  tracker.peerHeard(12n);
  assert.equal(tracker.seen, 6n);
  assert.equal(tracker.nakDueMs(), undefined);
});

test('a nak that may be lost is written again, unless the peer says that it came', () => {
  const tracker = new SequenceTracker(0n);
  tracker.take(3n);
  tracker.nakWritten(9n, 100);
  tracker.peerNaked();
  assert.equal(tracker.nakDueMs(), 300);
  tracker.peerHeard(9n);
  assert.equal(tracker.nakDueMs(), undefined);
  tracker.peerNaked();
  assert.equal(tracker.nakDueMs(), undefined, 'there is no nak that could be lost');
});

test('a nak that is written again need not be the one that is acted on', () => {
  const tracker = new SequenceTracker(0n);
  tracker.take(3n);
  tracker.nakWritten(9n, 100);
  tracker.peerNaked();
  tracker.nakWritten(12n, 300);
  tracker.peerHeard(9n);
  assert.equal(tracker.seen, 3n);
  tracker.peerNaked();
  assert.equal(tracker.nakDueMs(), undefined);
});

test('as the peer acts on one nak after the other, seen follows from hole to hole', () => {
  const tracker = new SequenceTracker(0n);
  for (const [hole, nak] of [
    [2n, 11n],
    [4n, 12n],
    [6n, 13n],
  ] as const) {
    tracker.take(hole);
    tracker.nakWritten(nak, 100);
  }
  assert.equal(tracker.seen, 0n);
  tracker.peerHeard(12n);
  assert.equal(tracker.seen, 4n);
  tracker.peerHeard(13n);
  assert.equal(tracker.seen, 6n);
});

test('[RUN-08] a hole as large as the damaged frames before it is no news, a larger one is', () => {
  const tracker = new SequenceTracker(0n);
  tracker.damaged();
  tracker.damaged();
  assert.equal(tracker.expected, 1n);
  assert.equal(tracker.take(3n), 'next');
  assert.equal(tracker.take(5n), 'gap', 'the damaged frames are accounted for');
});
