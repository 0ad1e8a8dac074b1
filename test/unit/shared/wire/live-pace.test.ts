import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { LivePace, mostPerFrame } from '../../../../src/shared/wire/live-pace.js';

function after(...tookMs: readonly number[]): LivePace {
  const pace = new LivePace();
  pace.peerTakes(mostPerFrame);
  for (const ms of tookMs) pace.acknowledgedAfter(ms);
  return pace;
}

const times = (count: number, ms: number): number[] => Array<number>(count).fill(ms);

test('[LINK-11] on a link that acknowledges within two seconds every interval has a frame of its own', () => {
  assert.equal(after(...times(100, 1999)).perFrame, 1);
});

test('[LINK-11] three slow acknowledgements in a row double the intervals per frame, up to eight, and tell it once', () => {
  const pace = after();
  const told = times(12, 30_000).map((ms) => pace.acknowledgedAfter(ms));
  const none = undefined;
  assert.deepEqual(told, [none, none, 2, none, none, 4, none, none, 8, none, none, none]);
  assert.equal(after(...times(12, 3000)).perFrame, 2, 'more than two do not come in three seconds');
});

test('[LINK-11] one slow acknowledgement, or slow and fast ones in turn, change nothing', () => {
  assert.equal(after(60_000, 60_000).perFrame, 1);
  assert.equal(after(9000, 9000, 20, 9000, 9000, 20, 9000, 9000).perFrame, 1);
  assert.equal(after(...times(3, 2000), ...times(50, 1200)).perFrame, 2, 'between the two limits');
});

test('[LINK-11] a link that gets fast again gets a frame for each interval again', () => {
  assert.equal(after(...times(9, 9000), ...times(3, 30)).perFrame, 4);
  assert.equal(after(...times(9, 9000), ...times(9, 30)).perFrame, 1);
});

test('[LINK-11] never more intervals per frame than the controller takes, which are one if it does not say', () => {
  const numbers = fc.double({ min: 0, max: 1e9, noNaN: true });
  const most = fc.integer({ min: 0, max: 2 ** 32 - 1 });
  fc.assert(
    fc.property(fc.array(numbers), most, (took, peer) => {
      const pace = new LivePace();
      pace.peerTakes(peer);
      for (const ms of took) {
        const told = pace.acknowledgedAfter(ms);
        if (told !== undefined) assert.equal(told, pace.perFrame);
        assert.ok(pace.perFrame >= 1 && pace.perFrame <= Math.max(1, Math.min(peer, mostPerFrame)));
      }
    }),
  );
});
