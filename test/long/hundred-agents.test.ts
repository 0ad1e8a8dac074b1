import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  completed,
  exits,
  freeWithin,
  nobodyAccused,
  sumsAgree,
  wholeTimeLines,
} from '../../src/controller/core/rehearsal/checks.js';
import type { Evidence } from '../../src/controller/core/rehearsal/evidence.js';
import type { Scenario } from '../../src/controller/shell/rehearsal/scenario.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { cpuTicks } from '../support/agent-process.js';
import { machine, writeReport } from '../support/rehearsal/long-report.js';
import { figuresOf } from '../support/rehearsal/process-figures.js';
import { play } from '../support/rehearsal/play.js';

const count = Number(process.env['MUSTER_LONG_AGENTS'] ?? '100');
const seconds = 30;

/** Of the controller while all agents run, and of agents and their workload processes at that time. */
interface Sample {
  cpuShare: number;
  controllerMiB: number;
  agentMiB: number;
  runnerMiB: number;
}

test(`[RPC-09] ${count} real agents with the null engine and one controller: all seconds of all agents, exact sums`, async (t) => {
  const samples: Sample[] = [];
  const scenario: Scenario = {
    name: 'hundred-agents',
    fault: `${count} agents, nothing happens to them`,
    agentCount: count,
    seconds,
    target: 'null:',
    config: {
      timeouts: {},
      stages: [
        {
          name: 'load',
          mix: { read: 50, write: 50 },
          rate: `${count * 100}/s`,
          duration: `${seconds}s`,
        },
      ],
    },
    act: async ({ run, agents }) => {
      await run.elapsed(10_000);
      const { pid } = run.process;
      const [ticks, atMs] = [cpuTicks(pid), systemClock.nowMs()];
      await run.elapsed(20_000);
      const agent = agents.agent(1);
      const [, runner] = /workload process (\d+) started/.exec(agent.process.stderr) ?? [];
      samples.push({
        cpuShare: ((cpuTicks(pid) - ticks) * 10) / (systemClock.nowMs() - atMs),
        controllerMiB: mebibytes(pid),
        agentMiB: mebibytes(agent.process.pid),
        runnerMiB: mebibytes(Number(runner)),
      });
    },
    checks: [
      exits(0),
      completed(count),
      wholeTimeLines(Array.from({ length: count }, (_, index) => `agent-${index + 1}`)),
      sumsAgree,
      nobodyAccused,
      freeWithin(60_000),
    ],
    deadlineMs: 400_000,
  };
  const outcome = await play(t, scenario);
  assert.ok('passed' in outcome);
  assert.deepEqual(outcome.problems, [], outcome.evidence.said);
  writeReport('scale.md', report(outcome.evidence, samples[0]));
});

function mebibytes(pid: number): number {
  return Math.round(figuresOf(pid).residentBytes / 2 ** 20);
}

function report({ summary, agents, tookMs }: Evidence, sample: Sample | undefined): string {
  assert.ok(summary && sample);
  const [stage] = summary.stages;
  const connectedMs = agents.map(
    ({ links }) => links.find(({ link }) => link === 'CONNECTED')?.at_ms ?? NaN,
  );
  const { measurement, coverage } = summary;
  const operations = Object.values(stage?.operations ?? {}).reduce(
    (sum, one) => sum + one.count,
    0,
  );
  const rows = [
    ['all connected after', `${(Math.max(...connectedMs) / 1000).toFixed(2)} s`],
    ['whole run, of which load', `${(tookMs / 1000).toFixed(1)} s, ${seconds} s`],
    [
      'coverage',
      `${coverage.agents_completed}/${coverage.agents_planned} agents, ${(coverage.host_seconds_ratio ?? 0) * 100} % of host-seconds`,
    ],
    [
      'missing, doubled, dropped intervals',
      `${measurement.missing_intervals}, ${measurement.duplicate_intervals}, ${measurement.dropped_live}`,
    ],
    ['operations, the same in every file', String(operations)],
    [
      'start spread',
      `${((stage?.start?.spread_ns ?? NaN) / 1e6).toFixed(1)} ms (all agents share the cores)`,
    ],
    ['controller: CPU while all run', `${(sample.cpuShare * 100).toFixed(0)} % of a core`],
    ['controller: its loop was late by at most', `${measurement.controller_late_ms} ms`],
    ['controller: memory', `${sample.controllerMiB} MiB`],
    [
      'an agent: memory of control, of its workload process',
      `${sample.agentMiB} MiB, ${sample.runnerMiB} MiB`,
    ],
  ];
  return [
    `# ${count} agents, one controller`,
    '',
    `\`npm run test:long\` [RPC-09]: ${count} real agent processes on one host, each with a workload process of one thread and the`,
    '`null` engine at 100 operations a second, one controller, default settings. Agents, their proxies and the controller share',
    'the cores of the machine, so the times are upper bounds; what is exact is the coverage.',
    '',
    `This page is written by the test. ${machine()}.`,
    '',
    '| | |',
    '| --- | --- |',
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    '',
  ].join('\n');
}
