// Much to say and a bad link: the real endpoints on simulated time.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Histogram, mergeEncoded } from '../../src/shared/metrics/histogram.js';
import { operationKinds } from '../../src/shared/model/operation.js';
import type { AgentMessage, Interval, OperationStats } from '../../src/shared/model/messages.js';
import { aHeartbeat, anIntervalOf } from '../support/sample-messages.js';
import { resultOf } from '../support/agent-driver.js';
import { decodeCount, encodeCount, mergeCounts } from '../support/sim/counted.js';
import { LinkPair } from '../support/sim/link-pair.js';
import { SeededRandom } from '../support/sim/random.js';

const empty = new Uint8Array();

function statsOf(operation: OperationStats['operation'], service: Uint8Array, count: number) {
  const nothing = { bytes: 0, errors: [], missedSchedules: 0, unissuedSchedules: 0 };
  return { operation, count, service, response: empty, failed: empty, ...nothing };
}

/** Up for 1 to 30 s, down for up to `longestMs`, again and again. */
function flap(link: LinkPair, random: SeededRandom, longestMs: number): void {
  link.connect();
  const later = (): void => {
    link.world.after(random.between(1000, 30_000), () => {
      link.cut();
      link.world.after(random.between(200, longestMs), () => {
        link.connect();
        later();
      });
    });
  };
  later();
}

test('[STAT-08] of 100 000 stats through a flapping link at least 99.9 % arrive one by one, and all of the totals', () => {
  const many = 100_000;
  const perSecond = 100;
  let alone = 0;
  let total = 0;
  const seconds = new Set<number>();
  let results = 0;
  const link = new LinkPair({
    seed: 8,
    mergeHistograms: mergeCounts,
    toController: (message) => {
      if (message.kind === 'stageResult') results += 1;
      if (message.kind !== 'interval') return;
      if (message.first === message.last) alone += 1;
      for (const { service } of message.operations) total += decodeCount(service);
      for (let at = message.first; at <= message.last; at += 1) {
        assert.ok(!seconds.has(at), `second ${String(at)} came twice`);
        seconds.add(at);
      }
    },
  });
  flap(link, new SeededRandom(8), 8000);
  let first = 0;
  const produce = (): void => {
    const stats = statsOf('read', encodeCount(perSecond), (first + 1) * perSecond);
    link.send('agent', { kind: 'interval', ...anIntervalOf({ first, operations: [stats] }) });
    first += 1;
    if (first % 1000 === 0) {
      link.send('agent', { kind: 'stageResult', ...resultOf({ stage: first / 1000 }) });
    }
    // A hundred times as fast as in a run: one outage of eight seconds is eight hundred messages.
    if (first < many) link.world.after(10, produce);
  };
  produce();
  link.world.run(10 * many + 120_000);
  const { streams, resent } = link.agent.metrics();
  assert.ok(streams > 40 && resent > 0, `${String(streams)} streams, ${String(resent)} resent`);
  assert.equal(total, many * perSecond);
  assert.equal(seconds.size, many);
  assert.equal(results, many / 1000);
  assert.ok(alone >= 0.999 * many, `${String(many - alone)} were not alone`);
});

test('[LINK-11] [STAT-01] on a link that is too slow for a frame a second, several seconds share one, and each keeps its place', () => {
  const random = new SeededRandom(11);
  const seconds: { first: number; last: number; atMs: number }[] = [];
  let samples = 0;
  const link = new LinkPair({
    seed: 12,
    mergeHistograms: mergeEncoded,
    toController: (message, nowMs) => {
      if (message.kind !== 'interval') return;
      const { first, last, operations } = message;
      seconds.push({ first, last, atMs: nowMs });
      for (const { service } of operations) samples += Histogram.decode(service).count;
    },
  });
  link.connect();
  const produced = everySecond(link, random);
  const framesIn = (ms: number): { alone: number; together: number } => {
    const before = link.agent.metrics().sent;
    link.world.run(link.world.nowMs + ms);
    const { sent } = link.agent.metrics();
    const of = (kind: 'interval' | 'intervals'): number =>
      (sent[kind]?.messages ?? 0) - (before[kind]?.messages ?? 0);
    return { alone: of('interval'), together: of('intervals') };
  };
  assert.deepEqual(framesIn(60_000), { alone: 60, together: 0 });
  assert.deepEqual([...link.changes], []);
  const sent = link.agent.metrics().sent;
  const bytesASecond = ((sent.interval?.bytes ?? 0) + (sent.heartbeat?.bytes ?? 0)) / 60;
  link.path.bytesPerSecond = 0.7 * bytesASecond;
  const slow = framesIn(120_000);
  assert.ok(slow.together > 20, JSON.stringify(slow));
  // A frame for each would be 36 seconds behind.
  assert.ok(produced() - seconds.length < 10, `${String(produced() - seconds.length)} s behind`);
  const slowed = link.changes.length;
  assert.ok(slowed > 0 && slowed < 4, link.changes.join('\n'));
  assert.match(
    link.changes[0] ?? '',
    /^stats are acknowledged after \d+ ms; intervals per frame are now 2$/,
  );
  link.path.bytesPerSecond = Infinity;
  framesIn(60_000);
  assert.deepEqual(framesIn(60_000), { alone: 60, together: 0 });
  assert.match(link.changes.at(-1) ?? '', /intervals per frame are now 1$/);
  assert.equal(samples, seconds.length * 150);
  assert.ok(seconds.length >= produced() - 1);
  for (const [index, range] of seconds.entries()) {
    assert.deepEqual([range.first, range.last], [index, index], 'in order, one by one');
  }
});

test('[STAT-01] thirty seconds over a link that carries little more than it must: no gap longer than one interval and the round trip, exact totals', () => {
  const random = new SeededRandom(13);
  const arrivalsMs: number[] = [];
  let samples = 0;
  const link = new LinkPair({
    seed: 14,
    mergeHistograms: mergeEncoded,
    toController: (message, nowMs) => {
      if (message.kind !== 'interval') return;
      arrivalsMs.push(nowMs);
      for (const { service } of message.operations) samples += Histogram.decode(service).count;
    },
  });
  link.path.delayMs = 150;
  link.connect();
  everySecond(link, random, 40);
  link.world.run(10_000);
  const { sent } = link.agent.metrics();
  link.path.bytesPerSecond =
    (1.5 * ((sent.interval?.bytes ?? 0) + (sent.heartbeat?.bytes ?? 0))) / 10;
  // One is under way; the next is later by the time that it takes on the narrow link, as all after it are.
  const narrow = arrivalsMs.length + 1;
  link.world.run(60_000);
  const throttledMs = arrivalsMs.slice(narrow);
  const gapsMs = throttledMs.slice(1).map((atMs, index) => atMs - (throttledMs[index] ?? 0));
  assert.ok(gapsMs.length >= 27, 'every second came by itself');
  assert.ok(Math.max(...gapsMs) <= 1000 + 2 * 150, gapsMs.map(Math.round).join(' '));
  assert.equal(samples, 40 * 150);
});

/** An interval of 150 operations and a heartbeat every second, `most` times. Gives how many there were so far. */
function everySecond(link: LinkPair, random: SeededRandom, most = Infinity): () => number {
  let first = 0;
  const produce = (): void => {
    const service = wideHistogram(random, 150).encode();
    const stats = statsOf('read', service, 150 * (first + 1));
    link.send('agent', { kind: 'interval', ...anIntervalOf({ first, operations: [stats] }) });
    link.send('agent', aHeartbeat);
    first += 1;
    if (first < most) link.world.after(1000, produce);
  };
  produce();
  return () => first;
}

/** Values over six decades, so that very many buckets are in use. */
function wideHistogram(random: SeededRandom, values: number): Histogram {
  const histogram = new Histogram();
  for (let at = 0; at < values; at += 1) histogram.record(Math.exp(random.between(7, 21)));
  return histogram;
}

test('[STAT-04] [LINK-10] a thousand intervals of every operation and a result with full histograms over a slow link: exact, and control is not delayed', () => {
  const random = new SeededRandom(3);
  const wide = operationKinds.map((kind) => [kind, wideHistogram(random, 300).encode()] as const);
  const full = operationKinds.map(
    (kind) => [kind, wideHistogram(random, 60_000).encode()] as const,
  );
  const beatsMs: number[] = [];
  const intervals: Interval[] = [];
  const results: Extract<AgentMessage, { kind: 'stageResult' }>[] = [];
  const link = new LinkPair({
    seed: 4,
    mergeHistograms: mergeEncoded,
    toController: (message, nowMs) => {
      if (message.kind === 'heartbeat') beatsMs.push(nowMs);
      else if (message.kind === 'interval') intervals.push(message);
      else if (message.kind === 'stageResult') results.push(message);
    },
  });
  // All that a run of a thousand seconds has left to say when its link comes back.
  for (let first = 0; first < 1000; first += 1) {
    const operations = wide.map(([kind, service]) => statsOf(kind, service, 300 * (first + 1)));
    link.send('agent', { kind: 'interval', ...anIntervalOf({ first, operations }) });
  }
  const operations = full.map(([kind, service]) => {
    return { ...statsOf(kind, service, 60_000), response: service, failed: service };
  });
  const syncs = wideHistogram(random, 60_000).encode();
  const result = resultOf({ intervals: 1000, operations, syncs });
  link.send('agent', { kind: 'stageResult', ...result });
  link.path.bytesPerSecond = 64 * 1024;
  // As HTTP/2's flow control window, which takes megabytes: only credit keeps control from waiting behind them.
  link.path.bufferedMs = Infinity;
  link.connect();
  const beat = (): void => {
    link.send('agent', aHeartbeat);
    link.send('controller', { kind: 'lease', count: 1 });
    link.world.after(1000, beat);
  };
  beat();
  link.world.run(3_600_000, () => results.length === 1 && intervals.length === 1000);
  assert.deepEqual(results[0], { kind: 'stageResult', ...result });
  assert.equal(intervals.length, 1000);
  for (const { operations: got } of intervals) {
    assert.deepEqual(
      got.map(({ operation, service }) => [operation, Buffer.from(service)]),
      wide.map(([kind, service]) => [kind, Buffer.from(service)]),
    );
  }
  const tookS = link.world.nowMs / 1000;
  const gaps = beatsMs.slice(1).map((at, index) => at - (beatsMs[index] ?? at));
  assert.ok(gaps.length > 30, `only ${String(gaps.length)} heartbeats in ${String(tookS)} s`);
  assert.ok(
    Math.max(...gaps) <= 2000,
    `a heartbeat came ${String(Math.max(...gaps))} ms after the last`,
  );
  const { bytes = 0, messages = 0 } = link.agent.metrics().sent.stageResult ?? {};
  assert.ok(messages > 20, `it went in ${String(messages)} pieces`);
  assert.ok(bytes > 200_000, `the result took ${String(bytes)} bytes`);
});
