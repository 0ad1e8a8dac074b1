import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClockProbes } from '../../../../src/controller/core/clock-probes.js';

const offsetNs = 3_500_000_000n;
const at = (ms: number) => ({ ms, ns: BigInt(ms) * 1_000_000n, unixMs: 1000 + ms });

/** The answer to probe `id`, `delayMs` there and back, and what became of it. */
function reply(probes: ClockProbes, id: number, sentMs: number, delayMs: number) {
  const now = at(sentMs + 2 * delayMs);
  const t2Ns = at(sentMs + delayMs).ns + offsetNs;
  const message = { kind: 'probeReply', id, t1Ns: at(sentMs).ns, t2Ns, t3Ns: t2Ns } as const;
  return probes.reply({ ...message, unixMs: now.unixMs + 50 }, now.ns, now);
}

/** Ids of all probes of the burst under way, with when each was sent. */
function sendAll(probes: ClockProbes, fromMs: number): [number, number][] {
  const sent: [number, number][] = [];
  for (let ms = fromMs; ms < fromMs + 200; ms += 1) {
    for (const id of probes.due(at(ms))) sent.push([id, ms]);
  }
  return sent;
}

test('[RUN-20] the first burst has 16 probes, later ones 8, sent without waiting for replies', () => {
  const probes = new ClockProbes();
  probes.startBurst('first', 0);
  const sent = sendAll(probes, 0);
  assert.equal(sent.length, 16);
  assert.ok(sent.every(([, ms], index) => ms === index * 5));
  const outcomes = sent.map(([id, ms], index) => reply(probes, id, ms, index === 9 ? 1 : 40));
  assert.equal(outcomes.filter((outcome) => outcome?.estimate).length, 1);
  assert.equal(probes.current?.offsetNs, offsetNs);
  assert.equal(probes.current.roundTripNs, 2_000_000);
  assert.equal(probes.current.wallOffsetMs, 50);
  probes.startBurst('fresh', 1000);
  assert.equal(sendAll(probes, 1000).length, 8);
});

test('[LINK-03] between bursts one probe goes out every 30 s, and each is published', () => {
  const probes = new ClockProbes();
  probes.startBurst('fresh', 0);
  for (const [id, ms] of sendAll(probes, 0)) reply(probes, id, ms, 1);
  const wake = probes.wakeAt();
  assert.equal(wake, 30_037);
  assert.deepEqual(probes.due(at(wake - 1)), []);
  const [id] = probes.due(at(wake));
  assert.ok(id !== undefined);
  assert.equal(reply(probes, id, wake, 7)?.estimate?.roundTripNs, 14_000_000);
  assert.equal(probes.current?.roundTripNs, 2_000_000, 'a start goes by its own burst');
  assert.equal(probes.wakeAt(), wake + 30_000);
});

test('a reply that comes twice, of an earlier stream or of no probe at all is ignored', () => {
  const probes = new ClockProbes();
  probes.startBurst('fresh', 0);
  const sent = sendAll(probes, 0);
  const [id, ms] = sent[0]!;
  assert.ok(reply(probes, id, ms, 1));
  assert.equal(reply(probes, id, ms, 1), undefined);
  assert.equal(reply(probes, 999, 0, 1), undefined);
  probes.reset();
  assert.equal(reply(probes, sent[1]![0], 5, 1), undefined);
  assert.equal(probes.wakeAt(), undefined);
});

test('a burst with lost replies ends after its patience with what there is; with none it is repeated', () => {
  const probes = new ClockProbes();
  probes.startBurst('fresh', 0);
  const sent = sendAll(probes, 0);
  assert.equal(probes.wakeAt(), 10_000);
  assert.equal(probes.expire(9999), undefined);
  assert.equal(probes.expire(10_000), 'unanswered');
  assert.equal(probes.inBurst, true, 'nothing came: again');
  const again = sendAll(probes, 10_000);
  assert.equal(again.length, 8);
  assert.equal(reply(probes, sent[0]![0], 0, 1), undefined, 'of the burst that was given up');
  reply(probes, again[3]![0], again[3]![1], 30);
  assert.equal(probes.expire(19_999), undefined);
  const estimate = probes.expire(20_000);
  assert.ok(typeof estimate === 'object');
  assert.equal(estimate.roundTripNs, 60_000_000);
  assert.equal(probes.inBurst, false);
});

test('a burst does not wait long for the few replies that were lost', () => {
  const probes = new ClockProbes();
  probes.startBurst('fresh', 0);
  const sent = sendAll(probes, 0);
  for (const [id, ms] of sent.slice(0, 3)) reply(probes, id, ms, 100);
  assert.equal(probes.wakeAt(), 10_000, 'fewer than half');
  for (const [id, ms] of sent.slice(3, 7)) reply(probes, id, ms, 100);
  assert.equal(probes.wakeAt(), 30 + 200 + 600, 'three round trips after the last');
  assert.equal(probes.expire(829), undefined);
  assert.ok(probes.expire(830));
  assert.equal(probes.ageMs(1830), 1000);
});

test('when a probe was sent is not believed of the one who answers it', () => {
  const probes = new ClockProbes();
  probes.startBurst('fresh', 0);
  const [[id] = []] = sendAll(probes, 0);
  assert.ok(id !== undefined);
  const t2Ns = at(1).ns + offsetNs;
  const message = { kind: 'probeReply', id, t1Ns: 0n, t2Ns, t3Ns: t2Ns, unixMs: 0 } as const;
  const outcome = probes.reply({ ...message, t1Ns: -(10n ** 15n) }, at(2).ns, at(2));
  assert.equal(outcome?.sample.roundTripNs, 2_000_000);
});

test('[RUN-28] the longest probe of a burst is known, and that one of them was lost', () => {
  const probes = new ClockProbes();
  probes.startBurst('fresh', 0);
  const sent = sendAll(probes, 0);
  for (const [index, [id, ms]] of sent.entries()) reply(probes, id, ms, index === 5 ? 30 : 1);
  assert.equal(probes.longestMs, 60);
  probes.startBurst('fresh', 1000);
  for (const [id, ms] of sendAll(probes, 1000).slice(1)) reply(probes, id, ms, 1);
  probes.expire(2000);
  assert.equal(probes.inBurst, false);
  assert.equal(probes.longestMs, Infinity);
});
