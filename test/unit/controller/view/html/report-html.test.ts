import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../../src/controller/core/aggregate.js';
import { Manifest } from '../../../../../src/controller/core/manifest.js';
import { atOnce } from '../../../../../src/controller/core/pieces.js';
import type { JournalRecord, RunRecord } from '../../../../../src/controller/core/records.js';
import { reportHtml } from '../../../../../src/controller/view/html/report-html.js';
import { summaryText } from '../../../../../src/controller/view/summary-text.js';
import { parseExpectation } from '../../../../../src/shared/model/expectation.js';
import type { Expectation } from '../../../../../src/shared/model/plan.js';
import { at, RecordedAgent, sampleRun, to } from '../../../../support/recorded-run.js';

function pageOf(records: readonly JournalRecord[], refreshSeconds?: number): string {
  const aggregate = new Aggregate();
  const manifest = new Manifest();
  for (const record of records) {
    aggregate.accept(record);
    manifest.accept(record);
  }
  const options = refreshSeconds === undefined ? {} : { refreshSeconds };
  return atOnce(reportHtml(aggregate, manifest.document(), aggregate.summary(), options));
}

/** The texts of all tooltips. */
function tooltips(page: string): readonly string[] {
  return [...page.matchAll(/<title>([^<]*)<\/title><\/rect/g)].map(([, text = '']) => text);
}

function link(agent: number, to: 'CONNECTED' | 'DISCONNECTED', generation: number): RunRecord {
  return { type: 'link', agent, to, generation, reason: to === 'CONNECTED' ? '' : 'reset' };
}

/** In open loop. */
function paced(records: readonly JournalRecord[]): JournalRecord[] {
  const rate = { unit: 'operations', steps: [{ from: 200, to: 200 }] } as const;
  return records.map((record): JournalRecord => {
    if (record.type !== 'run') return record;
    const stages = record.plan.stages.map((stage) => ({ ...stage, rate }));
    return { ...record, plan: { ...record.plan, stages } };
  });
}

/** In the order of time. */
function inOrder(
  records: readonly JournalRecord[],
  more: readonly JournalRecord[],
): JournalRecord[] {
  return [...records, ...more].sort((a, b) => a.atMs - b.atMs);
}

test('[LINK-16] the page shows verdict, every stage and operation, second by second, and every agent', () => {
  const page = pageOf(sampleRun());
  assert.match(page, /COMPLETED<\/span>\s*\(exit code\s+0\)/);
  assert.match(page, /<p class="facts">prepared 11 files, 11\.0 MiB in 0\.500 s/);
  assert.match(page, /<h2>Stage mixed<\/h2>/);
  for (const operation of ['read', 'write']) {
    assert.match(page, new RegExp(`aria-label="${operation}: operations per second"`));
    assert.match(page, new RegExp(`aria-label="${operation}: latency by percentile"`));
  }
  for (const id of ['agent-1', 'agent-2', 'agent-3']) assert.ok(page.includes(`<th>${id}</th>`));
  const seconds = tooltips(page).filter((text) => text.startsWith('second 1: '));
  assert.equal(seconds.length, 4, 'rate and latency chart of reads and of writes');
  // 35 + 31.5 + 28 reads, 15 + 13.5 + 12 writes and one error of each agent
  assert.match(seconds[0] ?? '', /^second 1: 95\.0 ops\/s, .*p99 \d/);
  assert.match(seconds[2] ?? '', /, 3 errors$/);
});

test('[LINK-16] the page has the facts and thresholds of the summary, in its words', () => {
  const rate = { unit: 'operations', steps: [{ from: 200, to: 200 }] } as const;
  const expect = [
    'mixed.errors == 3',
    'mixed.read.per_second > 1',
    'mixed.bytes_per_second > 1MB/s',
    'mixed.read.service.p99 < 1s',
  ].map((text) => parseExpectation(text) as Expectation);
  const records = sampleRun().map((record): JournalRecord => {
    if (record.type !== 'run') return record;
    const stages = record.plan.stages.map((stage) => ({ ...stage, rate, warmupMs: 2000 }));
    return { ...record, plan: { ...record.plan, stages, expect } };
  });
  const aggregate = new Aggregate();
  for (const record of records) aggregate.accept(record);
  const text = summaryText(aggregate.summary(), { width: 200 });
  const page = pageOf(records);
  for (const words of [
    'I/O by psync',
    'achieved 136 ops/s of 200 ops/s (constant arrivals), 0 schedules missed',
    'after 2.000 s of warm-up',
    'measured 3',
    'measured 95.0 ops/s',
    'measured 544 KiB/s',
    'measured 2.82 ms',
  ]) {
    assert.ok(text.includes(words), `${words}: ${text}`);
    assert.ok(page.includes(words), words);
  }
  assert.match(page, /measured 3<\/td>/, 'a count is whole');
  const vain = pageOf(records.filter(({ type }) => !/^(stage|started|interval)/.test(type)));
  assert.doesNotMatch(vain, /Thresholds/);
});

test('[LINK-16] the page says what the stage was, and what the agents that stayed did', () => {
  const whole = pageOf(sampleRun());
  const workload = 'mix: { read: 7, write: 3 }, block_size: 4KiB, access: random, threads: 2';
  assert.ok(whole.includes(`<p class="facts">${workload}`));
  assert.doesNotMatch(whole, /completed it alone/);
  const lost = sampleRun().flatMap((record): readonly JournalRecord[] => {
    if (!('agent' in record) || record.agent !== 2 || record.atMs < 6000) return [record];
    if (record.type === 'stageResult') return [];
    return record.type === 'transition' ? [at(record.atMs, to(2, 'RUNNING', 'FAILED'))] : [];
  });
  const page = pageOf(lost);
  // 35 + 31.5 reads and 15 + 13.5 writes a second, to the whole one
  assert.match(
    page,
    /the 2 agents that completed it alone: read 67\.0 ops\/s, 268 KiB\/s; write \d+\.\d ops\/s, /,
  );
});

test('[LINK-16] reconnects and outages are in the link table and over the time line', () => {
  const cut = [at(5000, link(1, 'DISCONNECTED', 1)), at(6500, link(1, 'CONNECTED', 2))];
  const page = pageOf(inOrder(sampleRun(), cut));
  assert.ok(tooltips(page).includes('agent-2: link DISCONNECTED from 5.0 s to 6.5 s: reset'));
  const row = /<th>agent-2<\/th>\s*<td>127\.0\.0\.1:7762<\/td>(.*?)<\/tr>/s.exec(page)?.[1] ?? '';
  const cells = [...row.matchAll(/<td>([^<]*)<\/td>/g)].map(([, text]) => text);
  assert.deepEqual(cells.slice(0, 4), ['CONNECTED', '1', '1.50 s', '1.50 s']);
});

test('[LINK-16] decisions are listed, and a run without any says so', () => {
  assert.match(pageOf(sampleRun()), /No fault called for a decision/);
  const decision: RunRecord = {
    type: 'decision',
    event: 'agent crashed',
    agent: 2,
    verdict: 'continue with 2 of 3',
  };
  const page = pageOf(inOrder(sampleRun(), [at(5000, decision)]));
  assert.match(page, /agent crashed<\/td>\s*<td class="text">agent-3<\/td>/);
});

test('[RES-05] seconds that did not arrive are shaded and named, not drawn as zero', () => {
  const records = sampleRun({ agents: 1 }).filter(
    (record) => record.type !== 'interval' || record.interval.first !== 2,
  );
  const page = pageOf(records);
  assert.equal([...page.matchAll(/<rect\s+class="gap"/g)].length, 4);
  const gap = tooltips(page).find((text) => text.startsWith('second 2: ')) ?? '';
  assert.match(gap, /35\.0 ops\/s, .*no latencies \(some intervals are missing\)/);
});

test('names from configs and agents cannot become markup', () => {
  const evil = '<script>alert("1")</script>';
  const base = sampleRun();
  const records = base.map((record): JournalRecord => {
    if (record.type !== 'run') return record;
    const stages = record.plan.stages.map((stage) => ({ ...stage, name: evil }));
    const agents = record.plan.agents.map((agent) => ({ ...agent, id: `${agent.id}${evil}` }));
    return { ...record, plan: { ...record.plan, name: evil, stages, agents } };
  });
  const page = pageOf(records);
  assert.ok(!page.includes('<script'));
  assert.ok(page.includes('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;'));
});

test('the page fetches nothing and runs nothing', () => {
  const page = pageOf(sampleRun());
  assert.match(page, /default-src 'none'/);
  assert.doesNotMatch(page, /(src|href)=|url\(|@import|<script/i);
});

test('[LINK-16] while the run goes on the page refreshes itself and judges nothing yet', () => {
  const page = pageOf(
    sampleRun().filter(({ atMs }) => atMs < 6000),
    2,
  );
  assert.match(page, /http-equiv="refresh" content="2"/);
  assert.match(page, />RUNNING<\/span>/);
  assert.doesNotMatch(page, /did not complete|INTERRUPTED/);
  assert.doesNotMatch(pageOf(sampleRun()), /http-equiv="refresh"/);
});

test('[STAT-01] agents that wait for the start of a stage are not shown as running, those that run are', () => {
  const stateOf = (page: string): string =>
    /<th>agent-1<\/th>\s*<td class="[^"]*">([A-Z_]+)</.exec(page)?.[1] ?? '';
  const records = sampleRun().filter(({ atMs }) => atMs < 4000);
  const beforeT0 = records.flatMap((record): readonly JournalRecord[] => {
    if (record.type === 'stageStart') return [record, at(record.atMs, to(0, 'IDLE', 'ARMED'))];
    return record.atMs < 3000 ? [record] : [];
  });
  assert.equal(stateOf(pageOf(beforeT0, 2)), 'NOT_STARTED');
  assert.equal(stateOf(pageOf(records, 2)), 'RUNNING');
});

test('[STAT-01] nothing is said of rates before a second of the stage is reported', () => {
  const pageUntil = (atMs: number): string =>
    pageOf(
      paced(sampleRun()).filter((record) => record.atMs < atMs),
      2,
    );
  const first = sampleRun().find(({ type }) => type === 'interval')?.atMs ?? 0;
  const before = pageUntil(first);
  assert.match(before, /no second of it is reported yet/);
  assert.doesNotMatch(before, /achieved|rates are total|<th>operation<\/th>/);
  const after = pageUntil(first + 1);
  assert.match(after, /achieved .* of 200 ops\/s/);
  assert.doesNotMatch(after, /no second of it/);
});

test('[MEAS-04] in open loop the response times are drawn second by second, beside the service times', () => {
  assert.doesNotMatch(pageOf(sampleRun()), /response p99/);
  const agent = new RecordedAgent();
  const read = { latenciesNs: [50_000], responsesNs: [7_000_000] };
  const records = paced(sampleRun({ agents: 1, seconds: 1 })).map((record): JournalRecord => {
    if (record.type === 'interval') return { ...record, interval: agent.interval({ read }) };
    return record.type === 'stageResult'
      ? { ...record, result: agent.result('duration', 1) }
      : record;
  });
  const page = pageOf(records);
  assert.match(page, /<span class="key k3">response p99<\/span>/);
  assert.match(tooltips(page).join('; '), /p99 50\.0 us, max 50\.0 us, response p99 7\.00 ms/);
});

test('a stage of hours is drawn in a bounded number of columns, and no operation is left out', () => {
  const page = pageOf(sampleRun({ agents: 1, seconds: 1000, perSecond: 10 }));
  const columns = tooltips(page).filter((text) => /^seconds? \d+.*ops\/s/.test(text));
  assert.equal(columns.length, 4 * 250);
  assert.match(columns[0] ?? '', /^seconds 0–3: 7\.00 ops\/s/);
});

test('[LINK-16] operations that end after the load do not draw a rate that falls to zero', () => {
  const agent = new RecordedAgent();
  const tail: JournalRecord[] = [];
  const records = sampleRun({ agents: 1 }).flatMap((record): readonly JournalRecord[] => {
    if (record.type === 'interval') {
      const interval = agent.interval({ read: { latenciesNs: Array<number>(40).fill(50_000) } });
      return [{ ...record, interval }];
    }
    if (record.type !== 'stageResult') return [record];
    const last = agent.interval({ read: { latenciesNs: [4_000_000] } });
    tail.push({ type: 'interval', agent: 0, interval: last, atMs: record.atMs });
    return [...tail, { ...record, result: agent.result('duration', 5.004) }];
  });
  const page = pageOf(records);
  const columns = tooltips(page).filter((text) => text.startsWith('second'));
  assert.match(columns[4] ?? '', /^second 4: 40\.0 ops\/s/);
  assert.match(
    columns[5] ?? '',
    /^second 5: the load is over, 1 operation completed, p50 4\.00 ms/,
  );
  const lines = [...page.matchAll(/class="line k0" d="([^"]*)"/g)].map(([, d = '']) => d);
  const points = lines.map((d) => d.split('L').length);
  assert.deepEqual(points.slice(0, 2), [5, 6], 'the rate ends with the load, latencies do not');
  assert.equal(points.at(-1), 5, 'so does the rate of each agent');
});

test('[LINK-16] the rate of an agent over time is of all kinds of operations together', () => {
  const agent = new RecordedAgent();
  const records = sampleRun({ agents: 1 }).map((record): JournalRecord => {
    if (record.type !== 'interval') return record;
    const reads = 10 + 5 * record.interval.first;
    const [read, write] = [reads, 40 - reads].map((count) => ({
      latenciesNs: Array<number>(count).fill(50_000),
    }));
    assert.ok(read && write);
    return { ...record, interval: agent.interval({ read, write }) };
  });
  const lines = [...pageOf(records).matchAll(/class="line k0" d="M([^"]*)l0 0"/g)];
  const heights =
    lines
      .at(-1)?.[1]
      ?.split('L')
      .map((point) => point.split(' ')[1]) ?? [];
  assert.equal(heights.length, 5);
  assert.equal(new Set(heights).size, 1, heights.join());
});

test('[LINK-16] a last second that was cut counts as the part that it is', () => {
  const agent = new RecordedAgent();
  const aborted = { durationMs: 60_000 };
  const records = sampleRun({ agents: 1, seconds: 3 }).map((record): JournalRecord => {
    if (record.type === 'run') {
      const stages = record.plan.stages.map((stage) => ({ ...stage, ...aborted }));
      return { ...record, plan: { ...record.plan, stages } };
    }
    if (record.type === 'interval') {
      const count = record.interval.first === 2 ? 24 : 40;
      const latenciesNs = Array<number>(count).fill(50_000);
      return { ...record, interval: agent.interval({ read: { latenciesNs } }) };
    }
    if (record.type !== 'stageResult') return record;
    return { ...record, result: agent.result('aborted', 2.6) };
  });
  const columns = tooltips(pageOf(records)).filter((text) => text.startsWith('second 2: '));
  assert.match(columns[0] ?? '', /^second 2: 40\.0 ops\/s/);
});

test('[LINK-16] a stage that ended before anything was done has no rates, and a page all the same', () => {
  const agent = new RecordedAgent();
  const records = sampleRun({ agents: 1, seconds: 1 }).map((record): JournalRecord => {
    if (record.type === 'interval') {
      return { ...record, interval: agent.interval({ read: { latenciesNs: [50_000] } }) };
    }
    if (record.type !== 'stageResult') return record;
    return { ...record, result: agent.result('aborted', 0) };
  });
  const page = pageOf(records);
  assert.match(
    tooltips(page).find((text) => text.startsWith('second 0: ')) ?? '',
    /the load is over, 1 operation completed/,
  );
  assert.doesNotMatch(page, /NaN|Infinity/);
});

test('[LINK-16] of seconds that came as one, those after the load have no rate of their own', () => {
  const agent = new RecordedAgent();
  const records = sampleRun({ agents: 1 }).map((record): JournalRecord => {
    if (record.type === 'interval') {
      const work = { read: { latenciesNs: Array<number>(40).fill(50_000) } };
      const seconds = record.interval.first === 4 ? 2 : 1;
      return { ...record, interval: agent.interval(work, { seconds }) };
    }
    if (record.type !== 'stageResult') return record;
    return { ...record, result: agent.result('duration', 5.004) };
  });
  const lines = [...pageOf(records).matchAll(/class="line k0" d="([^"]*)"/g)];
  assert.equal(lines.at(-1)?.[1]?.split('L').length, 5);
});
