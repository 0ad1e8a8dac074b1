/** LINK-14: many agents, much to say, bad links; each at the size that it is asked for. */
import {
  always,
  completed,
  exits,
  neverSays,
  nobodyAccused,
  reconnected,
  wholeTimeLines,
} from '../../../src/controller/core/rehearsal/checks.js';
import type { Check } from '../../../src/controller/core/rehearsal/verdict.js';
import type { RehearsalAgents } from '../../../src/controller/shell/rehearsal/rehearsal-agents.js';
import type { RehearsedRun } from '../../../src/controller/shell/rehearsal/rehearsed-run.js';
import type { Scenario } from '../../../src/controller/shell/rehearsal/scenario.js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { neverSilentFor, notInStep, PeakMemory } from './measurements.js';
import { and, preloading, slowDisk } from './play.js';
import { SpoolWatch } from './spool-watch.js';

export interface StressScenario extends Scenario {
  /** Of the programs. */
  readonly env: NodeJS.ProcessEnv;
}

/** Links are as bad as on a real network: the deadlines are the protocol's own. */
const byDefault = { config: { timeouts: {} }, deadlineMs: 180_000 };
const calmDisk = slowDisk(20);

function idsOf(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `agent-${index + 1}`);
}

function allComplete(count: number): readonly Check[] {
  return [exits(0), completed(count), wholeTimeLines(idsOf(count)), ...always(60_000)];
}

const nobodyGivenUp = neverSays(
  /crashed|marking as hung|did not come back|Invalid transition/,
  'nobody is given up',
);

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => systemClock.after(count * 1000, resolve));
}

/** @param share of the agents that may be back within the same 100 ms: few agents are there together by chance */
export function thunderingHerd(agentCount: number, share = 0.5): StressScenario {
  return {
    ...byDefault,
    name: 'thundering-herd',
    fault: `${agentCount} agents are cut off at once, for three seconds`,
    agentCount,
    seconds: 12,
    env: calmDisk,
    act: async ({ run, agents }) => {
      await run.loaded();
      for (const { link } of agents.all) {
        link.refuse(true);
        link.reset();
      }
      await seconds(3);
      for (const { link } of agents.all) link.refuse(false);
    },
    checks: [
      ...allComplete(agentCount),
      ...idsOf(agentCount).map((id) => reconnected(id)),
      notInStep(100, share),
      nobodyGivenUp,
    ],
  };
}

export function steady(agentCount: number, length: number): StressScenario {
  return {
    ...byDefault,
    name: 'steady',
    fault: `nothing happens to ${agentCount} agents for ${length} s`,
    agentCount,
    seconds: length,
    env: calmDisk,
    act: ({ run }) => run.loaded().then(() => undefined),
    checks: [...allComplete(agentCount), nobodyAccused, neverSilentFor(5000)],
  };
}

/** 100 messages of 10 KiB a second from each agent; on one link of 64 KiB/s when `narrow`. */
export function messageFlood(agentCount: number, length: number, narrow: boolean): StressScenario {
  const memory = new PeakMemory();
  const nominalBytes = length * 100 * 10 * 1024;
  let received: readonly number[] = [];
  const arrived: Check = {
    expected: 'at least half of the flood arrives',
    wrong: () => {
      const least = Math.min(...(narrow ? received.slice(1) : received));
      if (least >= nominalBytes / 2) return undefined;
      return `only ${Math.round(least / 1024)} of ${Math.round(nominalBytes / 1024)} KiB arrived`;
    },
  };
  return {
    ...byDefault,
    deadlineMs: 90_000,
    name: narrow ? 'mixed-priorities' : 'message-flood',
    fault: `${agentCount} agents send 100 messages of 10 KiB a second${narrow ? ', one of them through 64 KiB/s' : ''}`,
    agentCount,
    seconds: length,
    env: and(calmDisk, preloading('flood')),
    arrange: (agents) => {
      if (narrow) agents.agent(1).link.shapeBoth({ bytesPerSecond: 64 * 1024 });
    },
    act: async ({ run, agents }) => {
      await memory.watch(run);
      received = agents.all.map(({ link }) => link.bytes('down'));
    },
    checks: [
      ...allComplete(agentCount),
      arrived,
      nobodyAccused,
      // Heartbeats come before what can wait.
      neverSilentFor(5000),
      memory.below(512),
    ],
  };
}

/** 1 KB/s one way and the other, from the first byte to the last. */
export function trickle(): StressScenario {
  return {
    ...byDefault,
    name: 'trickle',
    fault: 'the link of one agent passes 1 KB/s',
    seconds: 8,
    env: calmDisk,
    arrange: (agents) => {
      agents.agent(2).link.shapeBoth({ bytesPerSecond: 1000 });
    },
    act: async () => undefined,
    checks: [...allComplete(3), nobodyAccused],
  };
}

/** Everything at once to ten agents, each its own trouble; all of it passes. */
export function allAtOnce(length: number): StressScenario {
  const agentCount = 10;
  return {
    ...byDefault,
    name: 'all-at-once',
    fault:
      'flood, reset, drop, outage of three, blackhole, 2 s delay, 1 KB/s, flipped bits, stall, a frozen agent: at once',
    agentCount,
    seconds: length,
    env: and(calmDisk, preloading('flood')),
    act: async ({ run, agents }) => {
      await run.loaded();
      await troubleForAll(agents, run);
    },
    checks: [
      ...allComplete(agentCount),
      ...['agent-1', 'agent-2', 'agent-3', 'agent-4', 'agent-5', 'agent-6'].map((id) =>
        reconnected(id),
      ),
      nobodyGivenUp,
    ],
  };
}

async function troubleForAll(agents: RehearsalAgents, run: RehearsedRun): Promise<void> {
  const link = (number: number) => agents.agent(number).link;
  link(1).reset();
  link(2).drop();
  for (const number of [3, 4, 5]) {
    link(number).refuse(true);
    link(number).reset();
  }
  link(6).blackhole('down');
  link(7).shapeBoth({ delayMs: 1000 });
  link(8).shapeBoth({ bytesPerSecond: 1000 });
  link(9).shapeBoth({ flipEvery: 50_000 });
  link(10).shapeBoth({ stalled: true });
  agents.agent(10).process.kill('SIGSTOP');
  await seconds(3);
  agents.agent(10).process.kill('SIGCONT');
  link(6).healNew();
  await run.until('ten flipped bits', () => link(9).flippedBits >= 10);
  for (const number of [3, 4, 5, 7, 8, 9, 10]) link(number).heal();
}

/** All that runs report goes to the agents' spools, flushed every 5 s and when a link is lost, until the controller has it. */
export function checkpointHeavy(agentCount: number): StressScenario {
  const spools = new SpoolWatch();
  return {
    ...byDefault,
    name: 'checkpoint-heavy',
    fault: `${agentCount} agents keep checkpoints, and lose their links every five seconds`,
    agentCount,
    seconds: 20,
    env: calmDisk,
    act: async ({ run, agents }) => {
      for (const atMs of [5000, 10_000, 15_000]) {
        await run.elapsed(atMs);
        spools.look(agents);
        for (const { link } of agents.all) link.reset();
      }
      await run.process.ended;
      spools.lookAtLast(agents);
    },
    checks: [
      ...allComplete(agentCount),
      ...idsOf(agentCount).map((id) => reconnected(id, 3)),
      spools.grew(3),
      spools.emptied,
      nobodyGivenUp,
    ],
  };
}

/**
 * [RPC-03] The controller is stopped in the middle of a stage; agents whose load is limited by their disk go on. What its
 * silence costs a load that is not is the matter of frozen-rate.ts.
 */
export function frozenController(length: number): StressScenario {
  const [first, last] = [4, 4 + length];
  return {
    ...byDefault,
    name: 'frozen-controller',
    fault: `the controller is frozen (SIGSTOP) for ${length} s`,
    agentCount: 2,
    seconds: last + 5,
    env: calmDisk,
    act: async ({ run }) => {
      await run.elapsed(first * 1000);
      run.process.kill('SIGSTOP');
      await seconds(length);
      run.process.kill('SIGCONT');
    },
    checks: [...allComplete(2), nobodyAccused, sameRate(first + 1, last - 1)],
    deadlineMs: 120_000 + length * 1000,
  };
}

/**
 * Operations per second from second `first` to `last` against the other seconds of the stage: medians, for other tests use
 * the same disk, and more above than below, for a frozen controller leaves them its CPU.
 */
function sameRate(first: number, last: number): Check {
  return {
    expected: 'the load goes on at 0.75 to 1.5 of its rate',
    wrong: ({ rows }) => {
      const inside: number[] = [];
      const outside: number[] = [];
      for (const row of rows) {
        // The first second and the last are not whole ones.
        const second = Number(row['second']);
        if (row['agent'] === '*' || row['operation'] !== 'write' || second === 0) continue;
        (second >= first && second < last ? inside : outside).push(Number(row['ops']));
      }
      const ratio = median(inside) / median(outside);
      return ratio > 0.75 && ratio < 1.5
        ? undefined
        : `the rate was ${ratio.toFixed(2)} of the rest`;
    },
  };
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;
}
