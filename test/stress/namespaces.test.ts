// Not loopback: agents in network namespaces of their own, faults made by the kernel.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import {
  always,
  completed,
  exits,
  keepsNumbersOf,
  labelled,
  neverSays,
  says,
  wholeTimeLines,
} from '../../src/controller/core/rehearsal/checks.js';
import type { RehearsedRun } from '../../src/controller/shell/rehearsal/rehearsed-run.js';
import type { Scenario } from '../../src/controller/shell/rehearsal/scenario.js';
import { hosts, shapeTraffic, type Host } from '../support/namespaces.js';
import { play, slowDisk } from '../support/rehearsal/play.js';

const everybody = ['agent-1', 'agent-2', 'agent-3'];
/** The protocol's own deadlines: TCP sends again after seconds only. */
const byDefault = { config: { timeouts: {} }, deadlineMs: 150_000 };
const nobodyGivenUp = neverSays(/crashed|marking as hung|did not come back/, 'nobody is given up');
const allComplete = [exits(0), completed(3), wholeTimeLines(everybody), ...always(60_000)];

/** Proves that the fault is one: nothing is heard of agent-2. */
async function silent(run: RehearsedRun, ms: number): Promise<void> {
  await run.until(`agent-2 silent for ${ms / 1000} s`, ({ agents }) =>
    agents.some(({ id, silent_ms }) => id === 'agent-2' && silent_ms >= ms),
  );
}

async function passes(
  t: TestContext,
  scenario: Scenario,
  namespaces: readonly Host[],
): Promise<void> {
  const outcome = await play(t, scenario, slowDisk(20), (index) => {
    const { address, namespace } = namespaces[index]!;
    return { address, command: ['ip', 'netns', 'exec', namespace] };
  });
  assert.ok('passed' in outcome);
  t.diagnostic(outcome.happened);
  assert.deepEqual(outcome.problems, [], outcome.evidence.said);
}

test('[RUN-21] [LINK-04] the link of one host is down for five seconds at half of a stage: exact sums, exit 0', async (t) => {
  const namespaces = hosts(t, 3);
  if (!namespaces) return;
  const scenario: Scenario = {
    ...byDefault,
    name: 'link-down',
    fault: 'the link of one host is down for five seconds',
    seconds: 16,
    act: async ({ run }) => {
      await run.elapsed(8000);
      namespaces[1]!.link('down');
      await silent(run, 5000);
      namespaces[1]!.link('up');
    },
    checks: [...allComplete, nobodyGivenUp],
  };
  await passes(t, scenario, namespaces);
});

test('[RUN-21] the link of one host is down for good at half of a stage: results of the survivors, exit 4', async (t) => {
  const namespaces = hosts(t, 3);
  if (!namespaces) return;
  const scenario: Scenario = {
    ...byDefault,
    name: 'link-gone',
    fault: 'the link of one host is down for good',
    seconds: 10,
    timeouts: { reconnect_window: '5s', lease: '30s', ping_after: '5s', hung_after: '5s' },
    config: {},
    act: async ({ run }) => {
      await run.elapsed(5000);
      namespaces[1]!.link('down');
    },
    // Only then can it be asked whether it has stopped by itself.
    afterwards: async () => {
      namespaces[1]!.link('up');
    },
    checks: [
      exits(4),
      labelled('partial'),
      completed(2),
      wholeTimeLines(['agent-1', 'agent-3']),
      keepsNumbersOf('agent-2'),
      says(/Agent agent-2 .*(marking as hung|disconnected)/, 'agent-2 is named'),
      ...always(60_000),
    ],
  };
  await passes(t, scenario, namespaces);
});

test('[LINK-14] packets of one host vanish one way (blackhole route) for eight seconds: exact sums, exit 0', async (t) => {
  const namespaces = hosts(t, 3);
  if (!namespaces) return;
  const { inside, here } = namespaces[1]!;
  const scenario: Scenario = {
    ...byDefault,
    name: 'blackhole-route',
    fault: 'packets of one host vanish one way',
    seconds: 20,
    act: async ({ run }) => {
      await run.elapsed(6000);
      inside('ip', 'route', 'add', 'blackhole', `${here}/32`);
      await silent(run, 8000);
      inside('ip', 'route', 'del', 'blackhole', `${here}/32`);
    },
    checks: [...allComplete, nobodyGivenUp],
  };
  await passes(t, scenario, namespaces);
});

const shapes: readonly (readonly [string, readonly string[]])[] = [
  ['a rate of 1 KB/s', ['tbf', 'rate', '8kbit', 'burst', '1600', 'latency', '2s']],
  ['a delay of 2 s', ['netem', 'delay', '2s']],
  ['a loss of 5 %', ['netem', 'loss', '5%']],
  ['packets reordered', ['netem', 'delay', '50ms', '20ms', 'reorder', '25%', '50%']],
  ['packets doubled', ['netem', 'duplicate', '5%']],
];

for (const [what, qdisc] of shapes) {
  test(`[LINK-14] ${what} on the link of one host: no false alarm, exact sums, exit 0`, async (t) => {
    const namespaces = hosts(t, 3);
    if (!namespaces) return;
    const reason = shapeTraffic(namespaces[1]!, ...qdisc);
    if (reason !== undefined) {
      t.skip(`left out: this kernel cannot do it (tc qdisc ${qdisc.join(' ')}: ${reason})`);
      return;
    }
    const scenario: Scenario = {
      ...byDefault,
      name: 'shaped',
      fault: `${what} on the link of one host`,
      seconds: 8,
      act: async () => undefined,
      checks: [...allComplete, nobodyGivenUp],
    };
    await passes(t, scenario, namespaces);
  });
}
