import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { waitUntil } from '../../../../src/agent/core/wait-until.js';
import { ManualClock } from '../../../support/manual-clock.js';

describe('waitUntil', () => {
  it('waits for the instant and not a moment less', async () => {
    const clock = new ManualClock();
    const atNs = clock.nowNs() + 2_000_000_000n;
    let outcome: string | undefined;
    const waiting = waitUntil(clock, atNs, new AbortController().signal).then((end) => {
      outcome = end;
    });
    clock.advance(1_999);
    await Promise.resolve();
    assert.equal(outcome, undefined);
    clock.advance(1);
    await waiting;
    assert.equal(outcome, 'reached');
    assert.equal(clock.armed, 0);
  });

  it('[RUN-12] ends at once when the signal fires, and leaves no timer', async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const waiting = waitUntil(clock, clock.nowNs() + 10n ** 12n, abort.signal);
    abort.abort();
    assert.equal(await waiting, 'cancelled');
    assert.equal(clock.armed, 0);
    assert.equal(await waitUntil(clock, 0n, abort.signal), 'cancelled');
    assert.equal(clock.armed, 0);
  });
});
