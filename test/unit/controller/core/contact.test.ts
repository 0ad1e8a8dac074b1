import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Contact } from '../../../../src/controller/core/contact.js';
import type { Timeouts } from '../../../../src/shared/model/plan.js';
import { fleetPlan } from '../../../support/scripted-fleet.js';

const { timeouts } = fleetPlan(1);

test('[RUN-04] a message is slow from above one second on, and one that is not ends the row', () => {
  const contact = new Contact(timeouts);
  const measured = (...all: readonly number[]): boolean[] => all.map((ms) => contact.measured(ms));
  assert.deepEqual(measured(1001, 1001, 1001, 1001), [false, false, true, false]);
  assert.deepEqual(measured(1000, 1001, 1001, 1000, 1001), [false, false, false, false, false]);
  assert.deepEqual(measured(1001, 1001), [false, true], 'a second row is told as well');
});

test('[RUN-04] messages that arrive together, as after a stall of the link, are one measurement', () => {
  const contact = new Contact(timeouts);
  const arrivals = [5000, 5001, 5400, 5890, 6390, 7390];
  const first = arrivals.filter((nowMs) => contact.isFirstOfBurst(nowMs));
  assert.deepEqual(first, [5000, 6390, 7390]);
});

const patient = { pingAfterMs: 60_000, prepareSilenceMs: 60_000, collectMs: 60_000 };
const silences: readonly (readonly [string, Partial<Timeouts>, number])[] = [
  ['the defaults', {}, 5000],
  ['long timeouts', patient, 10_000],
  ['a short ping_after', { ...patient, pingAfterMs: 4000 }, 4000],
  ['a short prepare_silence', { ...patient, prepareSilenceMs: 12_000 }, 6000],
  ['a short collect', { ...patient, collectMs: 8000 }, 4000],
  ['timeouts of a second or two', { ...patient, pingAfterMs: 2000, collectMs: 1000 }, 3000],
];
for (const [what, times, afterMs] of silences) {
  test(`[LINK-02] with ${what} a silent agent is asked on a fresh connection after ${String(afterMs)} ms, and again after as long`, () => {
    const contact = new Contact({ ...timeouts, ...times });
    contact.connected(1000);
    const asked: number[] = [];
    for (let nowMs = 1000; nowMs <= 1000 + 2 * afterMs; nowMs += 1) {
      if (contact.helloIsDue(nowMs)) asked.push(nowMs - 1000);
    }
    assert.deepEqual(asked, [afterMs, 2 * afterMs]);
    assert.equal(contact.isSilent(1000 + afterMs - 1), false);
    assert.equal(contact.isSilent(1000 + afterMs), true);
  });
}

test('[RUN-07] an agent that is silent for hours is asked less often, and soon enough after the end of its outage', () => {
  const contact = new Contact(timeouts);
  contact.connected(0);
  const asked: number[] = [];
  for (let nowMs = 0; nowMs <= 3_600_000; nowMs += 100) {
    if (contact.helloIsDue(nowMs)) asked.push(nowMs);
  }
  assert.ok(asked.length > 60 && asked.length < 140, `${asked.length} times in an hour`);
  assert.equal(asked.filter((atMs) => atMs <= 120_000).length, 24, 'until it is hung, every 5 s');
  const gaps = asked.slice(1).map((atMs, index) => (atMs - (asked[index] ?? 0)) / atMs);
  assert.ok(gaps.slice(24).every((share) => share < 0.05));
});
