import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pieces } from '../../../../src/controller/core/pieces.js';
import { inTurns } from '../../../../src/controller/shell/turns.js';
import { systemClock } from '../../../../src/shared/kernel/system-clock.js';
import { ManualClock } from '../../../support/manual-clock.js';

test('[RPC-04] long work is put down every ten milliseconds, and gone on with in the next turn of the loop', async () => {
  const clock = new ManualClock();
  let pieces = 0;
  function* work(): Pieces<string> {
    for (; pieces < 8; pieces += 1) {
      clock.advance(4);
      yield;
    }
    return 'done';
  }
  const done = inTurns(work(), clock);
  const seen: number[] = [];
  // Each time all is said that can be said in this turn, and the work waits for the next.
  for (let turn = 0; turn < 3; turn += 1) {
    await new Promise<void>((resolve) => systemClock.after(0, resolve));
    seen.push(pieces, clock.armed);
    clock.advance(0);
  }
  assert.equal(await done, 'done');
  assert.deepEqual(seen, [2, 1, 5, 1, 8, 0]);
  assert.equal(clock.armed, 0);
});
