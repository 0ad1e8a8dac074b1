import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Aggregate } from '../../../../src/controller/core/aggregate.js';
import type { Summary } from '../../../../src/controller/core/summary.js';
import {
  bytes,
  clock,
  count,
  duration,
  part,
  percent,
  rate,
} from '../../../../src/controller/view/format.js';
import { paintFor } from '../../../../src/controller/view/paint.js';
import { printResults } from '../../../../src/controller/view/print-results.js';
import { summaryText } from '../../../../src/controller/view/summary-text.js';
import { FakeTerminal } from '../../../support/fake-terminal.js';
import { sampleRun } from '../../../support/recorded-run.js';
import type { SampleOptions } from '../../../support/recorded-run.js';

function summaryOf(options: SampleOptions = {}): Summary {
  const aggregate = new Aggregate();
  for (const record of sampleRun(options)) aggregate.accept(record);
  return aggregate.summary();
}

test('[RES-05] where it is not known what was planned, no share of it is given', () => {
  const summary = summaryOf();
  const coverage = { ...summary.coverage, host_seconds_ratio: null };
  const text = summaryText({ ...summary, coverage }, {});
  assert.match(text, /completed, planned host-seconds not known \(a stage has no duration\), /);
});

test('the verdict comes first, then coverage, then each stage', () => {
  const lines = summaryText(summaryOf(), {}).split('\n');
  assert.equal(lines[0], 'COMPLETED recorded');
  assert.equal(
    lines[1],
    '  3 of 3 agents completed, 100 % of planned host-seconds, 0m09s, seed 42, exit code 0',
  );
  assert.equal(
    lines[2],
    '  prepared 11 files, 11.0 MiB in 0.500 s (22.0 MiB/s, 22.0 files/s); 1 file was there already',
  );
  assert.equal(lines[4], 'Stage mixed');
  const text = lines.join('\n');
  assert.match(text, /start spread 100 us \(\+- 80\.0 us\)/);
  assert.match(text, /^ *I\/O by psync$/m);
  assert.match(text, /first done 5\.001 s, last done 5\.003 s \(agent-3\)/);
  assert.match(text, /^ {2}read +475 +95\.0 +380 KiB\/s +0 +600 us/m);
  assert.match(text, /^ {2}write: 3 errors \(EIO 3\)$/m);
  assert.match(text, /^ {2}agent-3 +COMPLETED +29\.4 % +40\.0 +2\.94 ms/m);
});

test('[RES-05] what was prepared is told in one line, of whom when not of all; nothing without a dataset', () => {
  const base = summaryOf();
  const { prepare } = base;
  assert.ok(prepare);
  const told = (change: Partial<typeof prepare>): string =>
    summaryText({ ...base, prepare: { ...prepare, ...change } }, {});
  assert.match(told({ agents: 2 }), /22\.0 files\/s\) \(2 of 3 agents\); 1 file was there/);
  assert.match(told({ files_kept: 0 }), /22\.0 files\/s\)\n/);
  assert.match(told({ files: 0, bytes: 0 }), /^ {2}prepared nothing: 1 file was there already$/m);
  const empty = told({ files: 1, bytes: 0, bytes_per_second: 0, files_per_second: 2 });
  assert.match(empty, /^ {2}prepared 1 file, 0 B in 0\.500 s \(2\.00 files\/s\);/m);
  assert.doesNotMatch(summaryText({ ...base, prepare: null }, {}), /prepared/);
});

test('[RES-05] a partial run says so in the first line, with the reason, and who is missing', () => {
  const base = summaryOf();
  const summary: Summary = {
    ...base,
    outcome: 'partial',
    reason: '1 of 3 agents was lost',
    exit_code: 4,
    representative: false,
    warnings: ['stage mixed: agent agent-3 did not complete it (FAILED: killed)'],
  };
  const text = summaryText(summary, {});
  assert.match(text, /^PARTIAL recorded: 1 of 3 agents was lost\n/);
  assert.match(text, /exit code 4/);
  assert.match(text, /NOT REPRESENTATIVE/);
  assert.match(text, /Warnings\n {2}- stage mixed: agent agent-3 did not complete it/);
});

test('[RES-05] of a stage that not all completed the rate of those that did is told, too', () => {
  const base = summaryOf();
  const [stage] = base.stages;
  assert.ok(stage);
  const told = (completed: number): string =>
    summaryText({ ...base, stages: [{ ...stage, agents_completed: completed }] }, {});
  assert.match(
    told(2),
    /^ {2}the 2 agents that completed it alone: read 95\.0 ops\/s, 380 KiB\/s; write /m,
  );
  assert.match(told(1), /^ {2}the 1 agent that completed it alone: read/m);
  for (const completed of [0, 3]) assert.doesNotMatch(told(completed), /alone/);
});

test('a run that never started says why, and nothing about thresholds and stages it did not reach', () => {
  const records = sampleRun().filter(
    ({ type }) => !/^(stage|started|prepared|interval|end)/.test(type),
  );
  const aggregate = new Aggregate();
  for (const record of records) aggregate.accept(record);
  aggregate.accept({
    type: 'end',
    atMs: 9000,
    outcome: 'failed',
    exitCode: 3,
    reason:
      'Agent 127.0.0.1:7761 unreachable after 5s (connection refused), and this is a long reason',
    notRepresentative: false,
  });
  const summary = aggregate.summary();
  assert.deepEqual(summary.warnings, []);
  const expectations = [{ text: 'mixed.errors == 0', measured: null, passed: false }];
  const lines = summaryText({ ...summary, expectations }, { width: 80 }).split('\n');
  assert.deepEqual(lines, [
    'FAILED recorded: Agent 127.0.0.1:7761 unreachable after 5s (connection refused),',
    '  and this is a long reason',
    '  0 of 3 agents completed, 0.0 % of planned host-seconds, 0m09s, seed 42, exit',
    '    code 3',
    '',
    'Stage mixed: not started',
    '',
  ]);
  const early = summaryText({ ...summary, expectations, outcome: 'interrupted' }, { width: 80 });
  assert.doesNotMatch(early, /threshold/, 'what was interrupted before any stage likewise');
});

test('response and service latencies are both shown where they differ', () => {
  const base = summaryOf({ agents: 1 });
  const [stage] = base.stages;
  const read = stage?.operations['read'];
  assert.ok(stage && read?.service_ns);
  const open = { ...read, response_ns: { ...read.service_ns, p99: 5e9 } };
  const summary = { ...base, stages: [{ ...stage, operations: { read: open } }] };
  const wide = summaryText(summary, { width: 140 });
  assert.match(wide, /read .*response .*5\.00 s/);
  assert.match(wide, /^ +service /m);
  assert.match(summaryText(summary, { width: 80 }), /^ {2}read response .*5\.00 s/m);
});

test('no line is longer than the terminal is wide, and plain text has ASCII only', () => {
  for (const width of [60, 80, 100, 120]) {
    const text = summaryText(summaryOf(), { width });
    for (const line of text.split('\n')) assert.ok(line.length <= width, line);
    assert.match(text, /^[\x20-\x7e\n]*$/);
  }
});

/** The words of all lines, in order of the alphabet: what a table says, however it is laid out. */
function wordsOf(text: string): readonly string[] {
  return text.split(/[\s,]+/).sort();
}

test('[RES-01] on a narrow terminal tables are folded: every number of the wide ones is there', () => {
  const summary = summaryOf({ agents: 4 });
  const wide = new Set(wordsOf(summaryText(summary, { width: 1000 })));
  for (const width of [undefined, 40, 60, 80, 100]) {
    const narrow = summaryText(summary, { width });
    const lost = [...wide].filter((word) => !wordsOf(narrow).includes(word));
    assert.deepEqual(lost, [], narrow);
  }
  const text = summaryText(summary, { width: 60 });
  for (const columns of [
    /^ {2}latency +mean +p50 +p90 +p99 +p99\.9$/m,
    /^ {2}latency +max$/m,
    /^ {2}agent +state +share +ops\/s +read p99 +write p99$/m,
    /^ {2}agent +late by +done$/m,
  ]) {
    assert.match(text, columns);
  }
  assert.match(text, /^ {2}agent-4 +250 us +5\.004 s$/m);
  // Beside a name that leaves no room each column stands alone, and longer than the line.
  const [stage] = summary.stages;
  assert.ok(stage?.agents['agent-1'] && stage.agents['agent-2']);
  const agents = { ['a'.repeat(70)]: stage.agents['agent-1'], b: stage.agents['agent-2'] };
  const crowded = summaryText({ ...summary, stages: [{ ...stage, agents }] }, { width: 60 });
  assert.equal(crowded.match(/^ {2}a{70} {2}/gm)?.length, 7);
});

test('a fleet of many agents shows the most remarkable and says how many are left out', () => {
  const text = summaryText(summaryOf({ agents: 9, seconds: 3 }), { mostAgents: 4 });
  assert.match(text, /agent-9/);
  assert.match(text, /\.\.\. and 5 more agents in summary\.txt/);
});

test('[RES-01] of one agent, error, threshold, schedule or operation no plural is spoken', () => {
  const base = summaryOf({ agents: 1 });
  const [stage] = base.stages;
  const agent = stage?.agents['agent-1'];
  assert.ok(stage && agent && base.stages[0]?.operations['write']?.errors === 1);
  const rate = {
    unit: 'operations',
    arrival: 'constant',
    planned_per_second: 2,
    achieved_per_second: 1,
    missed_schedules: 1,
    unissued_schedules: 0,
    divisions: [],
  } as const;
  const agents = { 'agent-1': agent, 'agent-2': agent };
  const expectations = [{ text: 'mixed.errors == 0', measured: 1, passed: false }];
  const summary = { ...base, expectations, stages: [{ ...stage, rate, agents }] };
  const text = summaryText(summary, { mostAgents: 1 });
  for (const words of [
    '1 of 1 agent completed',
    '1 of 1 threshold FAILED',
    '1 of 1 agent, done after',
    '1 schedule missed',
    'write: 1 error (EIO 1)',
    '... and 1 more agent in summary.txt',
  ]) {
    assert.ok(text.includes(words), words);
  }
  assert.doesNotMatch(text, /\b1 (more )?[a-z]+s\b/);
});

test('colours only on a terminal, and never with NO_COLOR, --no-color or TERM=dumb', () => {
  const terminal = new FakeTerminal();
  const painted = (env: Record<string, string>, noColor = false, to = terminal): boolean =>
    paintFor(to, env, noColor).bad('x') !== 'x';
  assert.equal(painted({}), true);
  assert.equal(painted({ NO_COLOR: '1' }), false);
  assert.equal(painted({ NO_COLOR: '' }), true);
  assert.equal(painted({ TERM: 'dumb' }), false);
  assert.equal(painted({}, true), false);
  assert.equal(painted({}, false, new FakeTerminal(80, 24, false)), false);
});

test('[RUN-18] when the disk is full, the summary goes to standard output under its heading', () => {
  const stdout = new FakeTerminal(80, 24, false);
  const stderr = new FakeTerminal(80, 24, false);
  const failure = 'ERROR: Cannot write results to disk (disk full)';
  const options = { stdout, stderr, env: {}, noColor: false, verbose: false };
  printResults({ folder: 'results/x', summary: summaryOf(), failure }, 'lines', options);
  assert.equal(stderr.written, `${failure}\n`);
  assert.match(stdout.written, /^=== RESULTS \(DISK WRITE FAILED\) ===\nCOMPLETED recorded\n/);
  assert.ok(!stdout.written.includes('Results written to'));
});

test('with --progress json the summary is the last object, and people read it on standard error', () => {
  const stdout = new FakeTerminal(80, 24, false);
  const stderr = new FakeTerminal(80, 24, false);
  const summary = summaryOf();
  const options = { stdout, stderr, env: {}, noColor: false, verbose: false };
  printResults({ folder: 'results/x', summary, failure: undefined }, 'json', options);
  assert.deepEqual(JSON.parse(stdout.written), { type: 'summary', folder: 'results/x', summary });
  assert.match(stderr.written, /^COMPLETED[^]*\nResults written to results\/x\n$/);
});

test('numbers keep three digits and never print a fourth by rounding', () => {
  assert.deepEqual(
    [0, 999, 1000, 999_499, 999_500, 1_024_000, 59_999_000_000, 61e9, -80_000].map(duration),
    ['0 ns', '999 ns', '1.00 us', '999 us', '1.00 ms', '1.02 ms', '60.0 s', '1m01s', '-80.0 us'],
  );
  assert.deepEqual([0, 999, 1000, 1023, 1024, 1 << 20, 1.5 * 2 ** 40].map(bytes), [
    '0 B',
    '999 B',
    '0.98 KiB',
    '1.00 KiB',
    '1.00 KiB',
    '1.00 MiB',
    '1.50 TiB',
  ]);
  assert.deepEqual([0, 17, 9481, 999_999, 1_200_000].map(count), [
    '0',
    '17',
    '9 481',
    '999 999',
    '1.20 M',
  ]);
  assert.deepEqual([0, 0.354, 17.16, 99.94, 99.96, 12_345.6].map(rate), [
    '0',
    '0.35',
    '17.2',
    '99.9',
    '100',
    '12 346',
  ]);
  assert.deepEqual([1, 0.9999, 0.9667, 0].map(percent), ['100 %', '99.9 %', '96.6 %', '0.0 %']);
  // Their sum is seen beside them: cut off, these would come to 99.8 %.
  assert.deepEqual([0.298369, 0.248641, 0.45299].map(part), ['29.8 %', '24.9 %', '45.3 %']);
  assert.equal(part(1), '100 %');
  assert.deepEqual([7, 723, 7500].map(clock), ['0m07s', '12m03s', '2h05m00s']);
});
