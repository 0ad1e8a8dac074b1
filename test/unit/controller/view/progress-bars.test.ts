import assert from 'node:assert/strict';
import { test } from 'node:test';
import { colours, noPaint } from '../../../../src/controller/view/paint.js';
import { ProgressBars } from '../../../../src/controller/view/progress-bars.js';
import type { RunSnapshot } from '../../../../src/controller/core/snapshot.js';
import { FakeTerminal } from '../../../support/fake-terminal.js';
import { agentStatus, snapshotOf } from '../../../support/snapshots.js';

/** Shows the snapshots one after the other; the screen before the bars are taken away. */
function show(terminal: FakeTerminal, snapshots: readonly RunSnapshot[]): readonly string[] {
  const bars = new ProgressBars(terminal, noPaint, false);
  for (const snapshot of snapshots) bars.update(snapshot);
  const { screen } = terminal;
  bars.close();
  return screen;
}

const three = [0, 1, 2].map((index) => agentStatus(index));

test('[RUN-11] bars show the run and each agent, and every update changes what is seen', () => {
  const screen = show(new FakeTerminal(100), [snapshotOf(three)]);
  assert.equal(
    screen[0],
    'running mixed (1/2) [#####---------------] 25 %  0m15s/1m00s  3 003 ops/s  11.7 MiB/s  p99 1.23 ms',
  );
  assert.match(
    screen[1] ?? '',
    /agent-1 +RUNNING +1 000 ops\/s +3.91 MiB\/s +p99 1.23 ms +rtt 250 us/,
  );
  assert.equal(screen.length, 4);
  const unknown = snapshotOf([agentStatus(0, { latencyMs: 0, roundTripMs: undefined })]);
  assert.doesNotMatch(show(new FakeTerminal(100), [unknown])[1] ?? '', /rtt| 0 ns/);
  const stage = { index: 0, name: 'mixed', elapsedMs: 16_000, warmupMs: 0, durationMs: 60_000 };
  const later = show(new FakeTerminal(100), [snapshotOf(three), snapshotOf(three, { stage })]);
  assert.match(later[0] ?? '', /0m16s/);
  assert.equal(later.length, 4);
});

test('[RUN-11] in 80 columns the bar shows whole numbers only, and errors before all others', () => {
  const snapshot = snapshotOf(three);
  const bar = (errors: number): string | undefined =>
    show(new FakeTerminal(80), [{ ...snapshot, live: { ...snapshot.live, errors } }])[0];
  assert.equal(bar(0), 'running mixed (1/2) [##------] 25 %  0m15s/1m00s  3 003 ops/s  11.7 MiB/s');
  assert.equal(bar(12), 'running mixed (1/2) [##------] 25 %  12 errors  0m15s/1m00s  3 003 ops/s');
  assert.match(bar(1) ?? '', /  1 error  /);
  const [, agent] = show(new FakeTerminal(60), [snapshot]);
  assert.equal(
    agent,
    '  agent-1       RUNNING  1 000 ops/s  3.91 MiB/s',
    'nor half of one of an agent',
  );
});

test('an agent in trouble is said to be, in place of numbers that are old', () => {
  const screen = show(new FakeTerminal(100), [
    snapshotOf([
      agentStatus(0, { silentMs: 7000 }),
      agentStatus(1, { state: 'FAILED', link: 'CLOSED', note: 'workload process was killed' }),
      agentStatus(2, { link: 'HUNG', note: 'no stats for 120s' }),
      agentStatus(3, { runnerSilentMs: 4000 }),
      agentStatus(4, { inFlight: 64, oldestInFlightMs: 12_300 }),
    ]),
  ]);
  const text = screen.join('\n');
  assert.match(text, /agent-1 +RUNNING +silent 7.00 s/);
  assert.match(text, /agent-2 +FAILED +workload process was killed/);
  assert.match(text, /agent-3 +HUNG +no stats for 120s/);
  assert.match(text, /agent-4 +RUNNING +runner silent 4.00 s/);
  assert.match(text, /agent-5 +RUNNING +1 004 ops\/s.*64 in flight, oldest 12.3 s/);
});

test('bars are never higher than the terminal: the sick and the slow come first', () => {
  const agents = Array.from({ length: 100 }, (_, index) =>
    agentStatus(index, index === 70 ? { link: 'DISCONNECTED', note: 'reset' } : {}),
  );
  const screen = show(new FakeTerminal(100, 12), [snapshotOf(agents)]);
  assert.ok(screen.length <= 12);
  assert.match(screen[1] ?? '', /agent-71 +DISCONNECTED +reset/);
  // 1 000 ops/s of agent-1 are the fewest.
  assert.match(screen[2] ?? '', /agent-1 /);
  assert.match(screen.at(-1) ?? '', /^ {2}\.\.\. and 92 more, all well$/);
});

test('notices scroll by above the bars, whole, and leave no scraps of bars', () => {
  const terminal = new FakeTerminal(60, 24);
  const bars = new ProgressBars(terminal, noPaint, false);
  bars.notice('info', 'Connecting to agent 127.0.0.1:7761');
  bars.update(snapshotOf(three));
  const long = `Agent agent-3 message latency: 2.4s ${'and so on '.repeat(6)}`.trim();
  bars.notice('warn', long);
  bars.notice('debug', 'not for everybody');
  bars.update(snapshotOf(three));
  const text = terminal.screen.join('\n');
  bars.close();
  assert.equal(text.split('\n')[0], 'Connecting to agent 127.0.0.1:7761');
  assert.ok(text.replaceAll('\n', '').includes(`WARNING: ${long}running mixed`), text);
  assert.equal(text.match(/agent-1/g)?.length, 1);
  assert.ok(!text.includes('not for everybody'));
});

test('no line is wider than the terminal, whatever its width', () => {
  for (const columns of [20, 40, 60, 79, 80, 120]) {
    const terminal = new FakeTerminal(columns, 10);
    const bars = new ProgressBars(terminal, noPaint, false);
    bars.update(snapshotOf(three));

    const texts = terminal.written.replace(/\x1b\[\??[\d;]*[A-Za-z]/g, '\n').split('\n');
    bars.close();
    for (const text of texts) assert.ok(text.length <= columns, `${String(columns)}: ${text}`);
  }
});

test('another size of the terminal is taken up at the next update', () => {
  const terminal = new FakeTerminal(100, 24);
  const bars = new ProgressBars(terminal, noPaint, false);
  bars.update(snapshotOf(three));
  terminal.rows = 5;
  bars.update(snapshotOf(three));
  assert.equal(terminal.screen.filter((line) => line !== '').length, 3);
  assert.match(terminal.screen.join('\n'), /\.\.\. and 2 more/);
  bars.close();
});

test('closing takes the bars away and gives the cursor back', () => {
  const terminal = new FakeTerminal(100, 24);
  const bars = new ProgressBars(terminal, noPaint, false);
  bars.update(snapshotOf(three));
  assert.ok(terminal.written.includes('\x1b[?25l'));
  bars.close();
  assert.deepEqual(
    terminal.screen.filter((line) => line !== ''),
    [],
  );
  assert.ok(terminal.written.lastIndexOf('\x1b[?25h') > terminal.written.lastIndexOf('\x1b[?25l'));
  assert.ok(terminal.written.lastIndexOf('\x1b[?7h') > terminal.written.lastIndexOf('\x1b[?7l'));
});

test('bars that were closed, because the program was stopped for a while, are drawn anew', () => {
  const terminal = new FakeTerminal(100, 24);
  const bars = new ProgressBars(terminal, noPaint, false);
  bars.update(snapshotOf(three));
  bars.close();
  terminal.write('[1]+  Stopped\n');
  bars.update(snapshotOf(three));
  assert.ok(terminal.written.lastIndexOf('\x1b[?25l') > terminal.written.lastIndexOf('\x1b[?25h'));
  assert.equal(terminal.screen[0], '[1]+  Stopped');
  assert.match(terminal.screen[2] ?? '', /agent-1/);
  bars.close();
});

test('a terminal that does not know its size is taken for one of 80 columns', () => {
  const terminal = new FakeTerminal(0, 0);
  const bars = new ProgressBars(terminal, noPaint, false);
  bars.update(snapshotOf(three));
  bars.close();
  assert.match(terminal.written, /running mixed.*agent-1 +RUNNING/s);
});

test('only what is wrong is coloured', () => {
  const terminal = new FakeTerminal(100, 24);
  const bars = new ProgressBars(terminal, colours, false);
  bars.update(snapshotOf([agentStatus(0), agentStatus(1, { state: 'FAILED', note: 'lost' })]));
  bars.close();
  assert.ok(terminal.written.includes('\x1b[31m  agent-2'));
  assert.ok(!terminal.written.includes('m  agent-1'));
});
