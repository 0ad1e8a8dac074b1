import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import { inboxLimit } from '../../../../src/controller/core/live-inbox.js';
import type { JournalRecord } from '../../../../src/controller/core/records.js';
import type { Summary } from '../../../../src/controller/core/summary.js';
import { LiveIntake } from '../../../../src/controller/shell/live-intake.js';
import { sampleRun } from '../../../support/recorded-run.js';
import { BusyLoop } from '../../../support/busy-loop.js';
import { ManualClock } from '../../../support/manual-clock.js';

const warning = 'Warning: Dropping old stats messages (processing backlog)';

interface Speed {
  /** Counting an interval takes this long. */
  readonly costMs: number;
  /** The same when it is folded. */
  readonly foldMs?: number;
}

/** A run's records come in at their times, in a process that needs `costMs` to count one. */
function play(records: readonly JournalRecord[], speed: (nowMs: number) => Speed) {
  const loop = new BusyLoop();
  const aggregate = new Aggregate();
  const notices: string[] = [];
  const counted: JournalRecord[] = [];
  let controlLateMs = 0;
  const intake = new LiveIntake({
    clock: loop,
    count: (record) => {
      counted.push(record);
      aggregate.accept(record);
      if (record.type !== 'interval') return;
      const { costMs, foldMs = costMs } = speed(loop.nowMs());
      loop.spend(record.folded ? foldMs : costMs);
    },
    notice: (_, line) => notices.push(line),
    onBug: (thrown) => {
      throw thrown;
    },
  });
  for (const record of records) {
    loop.arrive(record.atMs, () => {
      if (record.type === 'heartbeat') {
        controlLateMs = Math.max(controlLateMs, loop.nowMs() - record.atMs);
      }
      const take = (): void => {
        intake.record(record);
      };
      if (record.type === 'end') intake.whenCounted(take);
      else take();
    });
  }
  loop.run();
  return { summary: aggregate.summary(), notices, counted, controlLateMs };
}

function totalsOf(summary: Summary) {
  return summary.stages.map(({ operations }) =>
    Object.values(operations).map(({ count, bytes, errors, service_ns, error_codes }) => {
      return { count, bytes, errors, service_ns, error_codes };
    }),
  );
}

test('[RUN-17] [RPC-09] 100 agents at 1 Hz are all counted in their place by a controller that is busy half of the time', () => {
  // All in one moment, just before a heartbeat.
  const records = sampleRun({ agents: 100, seconds: 5, perSecond: 3 })
    .map((record): JournalRecord => {
      if (record.type !== 'interval') return record;
      return { ...record, atMs: Math.floor(record.atMs / 1000) * 1000 + 490 };
    })
    .sort((a, b) => a.atMs - b.atMs);
  const { summary, notices, controlLateMs } = play(records, () => ({ costMs: 5 }));
  assert.deepEqual(notices, []);
  assert.equal(summary.measurement.dropped_live, 0);
  assert.equal(summary.measurement.missing_intervals, 0);
  assert.ok(controlLateMs <= 10, `a heartbeat waited ${String(controlLateMs)} ms behind stats`);
});

test('[RUN-17] [RPC-09] what 100 agents said while the controller stood still is counted in its place', () => {
  const frozenMs = 15_000;
  const records = sampleRun({ agents: 100, seconds: 20, perSecond: 3 })
    .map((record): JournalRecord => {
      return record.type === 'interval'
        ? { ...record, atMs: Math.max(frozenMs, record.atMs) }
        : record;
    })
    .sort((a, b) => a.atMs - b.atMs);
  const { summary, notices } = play(records, () => ({ costMs: 0.2 }));
  assert.deepEqual(notices, []);
  assert.equal(summary.measurement.dropped_live, 0);
});

test('[RUN-17] stats that nobody has time to count are folded into the totals, oldest first, with one warning', () => {
  const records = sampleRun({ agents: 50, seconds: 40, perSecond: 3 });
  const calm = play(records, () => ({ costMs: 0 }));
  const { summary, notices, counted } = play(records, () => ({ costMs: 200, foldMs: 1 }));
  assert.deepEqual(notices, [warning]);
  const intervals = counted.filter((record) => record.type === 'interval');
  const folded = intervals.filter(({ folded }) => folded);
  assert.ok(folded.length > 500, String(folded.length));
  assert.equal(summary.measurement.dropped_live, folded.length);
  assert.equal(intervals.length, 50 * 40, 'each once');
  const order = intervals.map(({ atMs }) => atMs);
  assert.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
    'oldest first',
  );
  assert.deepEqual(totalsOf(summary), totalsOf(calm.summary));
  const text = `${String(folded.length)} agent-seconds counted in the totals only: controller overloaded`;
  assert.ok(summary.warnings.includes(text), summary.warnings.join('\n'));
});

test('[RUN-17] a second backlog is warned of again', () => {
  const records = sampleRun({ agents: 100, seconds: 60, perSecond: 1 });
  const stalled = (nowMs: number): boolean =>
    (nowMs > 10_000 && nowMs < 12_000) || (nowMs > 40_000 && nowMs < 42_000);
  const { notices, summary } = play(records, (nowMs) => ({
    costMs: stalled(nowMs) ? 20_000 : 1,
    foldMs: 0.1,
  }));
  assert.deepEqual(notices, [warning, warning]);
  assert.ok(summary.measurement.dropped_live > 0);
});

test('[RUN-17] no more wait than the limit says', () => {
  let waiting = 0;
  let most = 0;
  const [template] = sampleRun({ agents: 1, seconds: 1 }).filter(
    (record) => record.type === 'interval',
  );
  assert.ok(template);
  const loop = new BusyLoop();
  const intake = new LiveIntake({
    clock: loop,
    count: () => (waiting -= 1),
    notice: () => undefined,
    onBug: () => undefined,
  });
  for (let arrived = 0; arrived < 3000; arrived += 1) {
    waiting += 1;
    intake.record(template);
    most = Math.max(most, waiting);
  }
  assert.equal(inboxLimit, 1000);
  assert.equal(most, inboxLimit);
  loop.run();
  assert.equal(waiting, 0);
});

test('what counting throws goes to the one who ends the run', () => {
  const loop = new BusyLoop();
  const bugs: unknown[] = [];
  const bug = new TypeError('a bug');
  const intake = new LiveIntake({
    clock: loop,
    count: () => {
      throw bug;
    },
    notice: () => undefined,
    onBug: (thrown) => bugs.push(thrown),
  });
  const interval = sampleRun({ agents: 1, seconds: 1 }).find(({ type }) => type === 'interval');
  assert.ok(interval);
  loop.arrive(0, () => {
    intake.record(interval);
  });
  loop.run();
  assert.deepEqual(bugs, [bug]);
});

test('[RPC-04] what still waits at the end of a run is counted in slices, and a bug in that is told', async () => {
  const interval = sampleRun({ agents: 1, seconds: 1 }).find(({ type }) => type === 'interval');
  assert.ok(interval);
  const loop = new BusyLoop();
  let counted = 0;
  let isBug = false;
  const intake = new LiveIntake({
    clock: loop,
    count: () => {
      if (isBug) throw new TypeError('a bug');
      counted += 1;
      loop.spend(2);
    },
    notice: () => undefined,
    onBug: () => assert.fail('nobody listens any more'),
  });
  for (let k = 0; k < 500; k += 1) intake.record(interval);
  const all = intake.counted();
  let lateMs = NaN;
  loop.arrive(100, () => (lateMs = loop.nowMs() - 100));
  loop.run();
  await all;
  assert.equal(counted, 500);
  assert.ok(lateMs < 10, `the loop was late by ${String(lateMs)} ms`);
  isBug = true;
  intake.record(interval);
  const last = assert.rejects(intake.counted(), TypeError);
  loop.run();
  await last;
});

test('[RUN-10] who waits for what has come hears when it is counted, also when it had to make room', () => {
  const clock = new ManualClock();
  const counted: JournalRecord[] = [];
  const intake = new LiveIntake({
    clock,
    count: (record) => counted.push(record),
    notice: () => undefined,
    onBug: (thrown) => {
      throw thrown;
    },
  });
  const [sample] = sampleRun().filter(({ type }) => type === 'interval');
  assert.ok(sample);
  const heard: number[] = [];
  const wait = (): void => {
    intake.whenCounted(() => heard.push(counted.length));
  };
  wait();
  assert.deepEqual(heard.splice(0), [0], 'nothing waits');
  intake.record(sample);
  wait();
  assert.equal(heard.length, 0);
  for (let more = 0; more < inboxLimit; more++) intake.record(sample);
  assert.deepEqual(heard.splice(0), [1], 'the first had to make room');
  wait();
  clock.advance(0);
  assert.deepEqual(heard, [inboxLimit + 1]);
});
