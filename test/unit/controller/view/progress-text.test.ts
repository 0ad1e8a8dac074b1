import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createView, defaultViewMode } from '../../../../src/controller/view/create-view.js';
import type { ViewMode } from '../../../../src/controller/view/create-view.js';
import type { RunView } from '../../../../src/controller/view/run-view.js';
import { FakeTerminal } from '../../../support/fake-terminal.js';
import { agentLoad, agentStatus, snapshotOf } from '../../../support/snapshots.js';

interface Shown {
  readonly view: RunView;
  readonly stdout: FakeTerminal;
  readonly stderr: FakeTerminal;
}

function viewOf(mode: ViewMode, verbose = false, isTerminal = false): Shown {
  const stdout = new FakeTerminal(80, 24, false);
  const stderr = new FakeTerminal(80, 24, isTerminal);
  const view = createView(mode, { stdout, stderr, env: {}, noColor: false, verbose });
  return { view, stdout, stderr };
}

const two = [agentStatus(0), agentStatus(1)];

test('lines: one every 10 s and one at each change of phase', () => {
  const { view, stderr, stdout } = viewOf('lines');
  for (let second = 0; second <= 25; second++) {
    const elapsedMs = second * 1000;
    const phase = second < 3 ? 'connecting' : 'running';
    const stage = {
      index: 0,
      name: 'mixed',
      elapsedMs: elapsedMs - 3000,
      warmupMs: 0,
      durationMs: 60_000,
    };
    view.update(
      snapshotOf(two, { phase, stage: phase === 'running' ? stage : undefined }, elapsedMs),
    );
  }
  view.close();
  assert.equal(stdout.written, '');
  assert.deepEqual(stderr.written.split('\n'), [
    'connecting 100 %: 0m01s',
    'running mixed (1/2) 0 %: 0m00s/1m00s  2 001 ops/s  7.81 MiB/s  p99 1.23 ms',
    'running mixed (1/2) 16 %: 0m10s/1m00s  2 001 ops/s  7.81 MiB/s  p99 1.23 ms',
    'running mixed (1/2) 33 %: 0m20s/1m00s  2 001 ops/s  7.81 MiB/s  p99 1.23 ms',
    '',
  ]);
});

test('before the start the seconds to it are shown, not numbers of the stage before', () => {
  const { view, stderr } = viewOf('lines');
  const stage = { index: 1, name: 'second', elapsedMs: -1700, warmupMs: 0, durationMs: 60_000 };
  view.update(snapshotOf(two, { phase: 'arming', stage }));
  assert.equal(stderr.written, 'arming second (2/2): starts in 1.700 s\n');
});

test('lines say no rate before there is one: nobody has reported a second of the stage yet', () => {
  const { view, stderr } = viewOf('lines');
  const stage = { index: 0, name: 'mixed', elapsedMs: 200, warmupMs: 0, durationMs: 60_000 };
  const snapshot = snapshotOf(two, { stage });
  const nothing = { second: undefined, operationsPerSecond: 0, bytesPerSecond: 0 };
  const live = { ...snapshot.live, ...nothing, p99Ns: undefined };
  view.update({ ...snapshot, live: { ...live, operations: 0, bytes: 0 } });
  assert.equal(stderr.written, 'running mixed (1/2) 0 %: 0m00s/1m00s\n');
});

test('lines name the agents that are in trouble, and count them when they are many', () => {
  const { view, stderr } = viewOf('lines');
  const sick = (index: number) => agentStatus(index, { link: 'HUNG', note: 'no stats for 120s' });
  view.update(snapshotOf([agentStatus(0), sick(1), agentStatus(2, { silentMs: 5000 })]));
  assert.match(stderr.written, /; agent-2 HUNG no stats for 120s, agent-3 silent 5.00 s\n$/);
  const many = viewOf('lines');
  many.view.update(snapshotOf([0, 1, 2, 3, 4, 5, 6, 7].map(sick)));
  assert.match(many.stderr.written, /agent-5 HUNG [^,]+, 3 more\n$/);
});

test('lines say why an agent failed in a few words, and its name once', () => {
  const { view, stderr } = viewOf('lines');
  const failed = (index: number, note: string) => agentStatus(index, { state: 'FAILED', note });
  const long = `Agent agent-1 failed: target ${'x'.repeat(80)} does not exist`;
  const lost = 'Agent agent-2 did not come back: reset';
  view.update(snapshotOf([failed(0, long), failed(1, lost)]));
  assert.match(
    stderr.written,
    /; agent-1 FAILED target x{50}\.\.\., agent-2 FAILED did not come back: reset\n$/,
  );
});

test('[RUN-25] json: an object per update on standard output, people are told on standard error', () => {
  const { view, stdout, stderr } = viewOf('json');
  view.update(snapshotOf(two));
  view.notice('warn', 'Agent agent-2 message latency: 2.4s (network issue?)');
  view.update(snapshotOf(two, {}, 28_000));
  view.close();
  const objects = stdout.written
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    objects.map((object) => object['type']),
    ['progress', 'notice', 'progress'],
  );
  const [first, notice, last] = objects;
  assert.equal(first?.['elapsed_ms'], 27_000);
  assert.equal(first['late_ms'], 1);
  assert.equal(first['operations_per_second'], 2001);
  assert.equal((first['agents'] as unknown[]).length, 2);
  assert.equal(notice?.['line'], 'Agent agent-2 message latency: 2.4s (network issue?)');
  assert.equal(last?.['elapsed_ms'], 28_000);
  assert.equal(stderr.written, 'WARNING: Agent agent-2 message latency: 2.4s (network issue?)\n');
});

test('json: no rate is null, not 0, before there is one', () => {
  const { view, stdout } = viewOf('json');
  const snapshot = snapshotOf(two);
  const agents = [agentLoad(0), agentLoad(1, { latest: undefined })];
  view.update({ ...snapshot, live: { ...snapshot.live, second: undefined, agents } });
  const told = JSON.parse(stdout.written) as Rates & { agents: Rates[] };
  for (const key of ['operations_per_second', 'bytes_per_second'] as const) {
    assert.equal(told[key], null);
    assert.deepEqual([typeof told.agents[0]?.[key], told.agents[1]?.[key]], ['number', null]);
  }
});

test('json: before a stage begins nothing of the stage before is given for its own', () => {
  const { view, stdout } = viewOf('json');
  const stage = { index: 1, name: 'second', elapsedMs: -700, warmupMs: 0, durationMs: 60_000 };
  view.update(snapshotOf(two, { phase: 'arming', stage }));
  type Numbers = Rates & { operations: number; p99_ns: number | null };
  const told = JSON.parse(stdout.written) as Numbers & { agents: Numbers[] };
  for (const one of [told, ...told.agents]) {
    assert.deepEqual([one.operations, one.operations_per_second, one.p99_ns], [0, null, null]);
  }
});

interface Rates {
  readonly operations_per_second: number | null;
  readonly bytes_per_second: number | null;
}

test('none: no progress, but trouble is still said', () => {
  const { view, stdout, stderr } = viewOf('none');
  view.update(snapshotOf(two));
  view.notice('info', 'Connecting to agent 127.0.0.1:7761');
  view.notice('error', 'Agent 127.0.0.1:7761 unreachable after 5s');
  view.close();
  assert.equal(stdout.written, '');
  assert.equal(stderr.written, 'ERROR: Agent 127.0.0.1:7761 unreachable after 5s\n');
});

test('a sentence that says WARNING or ERROR itself is not told twice', () => {
  const { view, stderr } = viewOf('lines');
  view.notice('warn', 'WARNING: Agent agent-3 message latency: 2.4s (network issue?)');
  view.notice('warn', 'Warning: Dropping old stats messages (processing backlog)');
  view.notice('error', 'ERROR: Cannot write results to disk (disk full)');
  assert.deepEqual(stderr.written.trim().split('\n'), [
    'WARNING: Agent agent-3 message latency: 2.4s (network issue?)',
    'Warning: Dropping old stats messages (processing backlog)',
    'ERROR: Cannot write results to disk (disk full)',
  ]);
});

test('debug lines are for -v only', () => {
  const line = 'stats send failed (attempt 1), retrying...';
  for (const verbose of [false, true]) {
    for (const [mode, isTerminal] of [
      ['lines', false],
      ['json', false],
      ['bars', false],
      ['bars', true],
    ] as const) {
      const { view, stderr } = viewOf(mode, verbose, isTerminal);
      view.notice('debug', line);
      assert.equal(stderr.written.includes(line), verbose, mode);
      view.close();
    }
  }
});

test('bars need a terminal that can draw; elsewhere lines are shown', () => {
  const terminal = new FakeTerminal();
  const pipe = new FakeTerminal(80, 24, false);
  assert.equal(defaultViewMode({ stderr: terminal, env: {} }), 'bars');
  assert.equal(defaultViewMode({ stderr: terminal, env: { TERM: 'dumb' } }), 'lines');
  assert.equal(defaultViewMode({ stderr: pipe, env: {} }), 'lines');
  const { view, stderr } = viewOf('bars');
  view.update(snapshotOf(two));
  assert.match(stderr.written, /^running mixed \(1\/2\) 25 %/);
});
