import type { Plan, StagePlan, Timeouts } from '../../../src/shared/model/plan.js';
import type { RunMode } from '../../../src/controller/core/run-io.js';
import { fleetPlan, stageOf } from '../scripted-fleet.js';
import { noFrameFaults, type FrameFaults } from './network.js';
import { SeededRandom } from './random.js';
import type { RunnerTraits } from './sim-runner.js';

/** Something that goes wrong, `atMs` after the run began, in the world's time. */
export type Fault = { readonly atMs: number } & (
  | { readonly kind: 'cut'; readonly agent: number }
  /** Cut again and again. */
  | {
      readonly kind: 'flap';
      readonly agent: number;
      readonly times: number;
      readonly everyMs: number;
    }
  /** Some agents at once: a switch dies, and is back after a while. Refused: something answers for them. */
  | {
      readonly kind: 'outage';
      readonly agents: readonly number[];
      readonly refused: boolean;
      readonly forMs: number;
    }
  /** A narrow link: what waits at the sender is overtaken by what is more urgent, and all of it is late. */
  | {
      readonly kind: 'throttle';
      readonly agent: number;
      readonly bytesPerSecond: number;
      readonly forMs: number;
    }
  /** Cut, and refused for a while. */
  | { readonly kind: 'refuse'; readonly agent: number; readonly forMs: number }
  | {
      readonly kind: 'block';
      readonly agent: number;
      readonly from: 'controller' | 'agent' | 'both';
      readonly forMs: number;
    }
  | {
      readonly kind: 'slow';
      readonly agent: number;
      readonly delayMs: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'frames';
      readonly agent: number;
      readonly faults: FrameFaults;
      readonly forMs: number;
    }
  /** SIGSTOP and SIGCONT of the agent's control process, its runner, or both. */
  | {
      readonly kind: 'freeze';
      readonly agent: number;
      readonly what: 'control' | 'runner' | 'host';
      readonly forMs: number;
    }
  | { readonly kind: 'freezeController'; readonly forMs: number }
  /** The controller's loop stands still for a moment, again and again. */
  | {
      readonly kind: 'stutter';
      readonly times: number;
      readonly everyMs: number;
      readonly forMs: number;
    }
  | {
      readonly kind: 'crashAgent';
      readonly agent: number;
      readonly restartAfterMs: number | undefined;
    }
  | { readonly kind: 'killRunner'; readonly agent: number }
  | { readonly kind: 'stall'; readonly agent: number; readonly forMs: number }
  | { readonly kind: 'stopAgent'; readonly agent: number }
  | { readonly kind: 'interrupt'; readonly againAfterMs: number | undefined }
  | { readonly kind: 'crashController' }
);

export interface AgentScenario {
  readonly delayMs: number;
  readonly jitterMs: number;
  readonly clockOffsetMs: number;
  readonly driftPpm: number;
  readonly listens: boolean;
  readonly traits: RunnerTraits;
}

export interface Scenario {
  readonly seed: number;
  readonly plan: Plan;
  readonly mode: RunMode;
  readonly cleanup: boolean;
  readonly agents: readonly AgentScenario[];
  readonly faults: readonly Fault[];
}

/** Short enough that a history with a hang in it is quickly told; the relations between them are the defaults'. */
const shortTimeouts: Timeouts = {
  connectMs: 1000,
  helloMs: 2000,
  prepareSilenceMs: 6000,
  prepareIoStallMs: 12_000,
  pingAfterMs: 5000,
  hungAfterMs: 5000,
  collectMs: 4000,
  drainMs: 4000,
  abortMs: 3000,
  cleanupMs: 6000,
  reconnectWindowMs: 5000,
  leaseMs: 14_000,
  operationMs: undefined,
};

/** A random history. `faults`: how many things go wrong at most. */
export function randomScenario(seed: number, faults: number): Scenario {
  const random = new SeededRandom(seed);
  const count = random.pick([1, 2, 2, 3, 3, 3, 3, 4, 5]);
  const slowLink = random.chance(0.1);
  const timeouts = slowLink || random.chance(0.05) ? fleetPlan(1).timeouts : shortTimeouts;
  const stages = Array.from({ length: random.pick([1, 1, 1, 2, 2, 3]) }, (_, index) =>
    randomStage(random, index),
  );
  const mode = random.pick<RunMode>([
    'run',
    'run',
    'run',
    'run',
    'run',
    'run',
    'prepare',
    'cleanup',
  ]);
  const plan = fleetPlan(count, {
    stages,
    timeouts: random.chance(0.1) ? { ...timeouts, reconnectWindowMs: 0 } : timeouts,
    namespace: random.pick(['private', 'shared']),
    failurePolicy: random.pick(['majority', 'majority', 'all', 'any', { percent: 60 }]),
  });
  const agents = plan.agents.map(() => randomAgent(random, slowLink));
  const until = 4000 + stages.reduce((sum, { durationMs }) => sum + (durationMs ?? 3000) + 2500, 0);
  const wrong = Array.from({ length: faults === 0 ? 0 : random.whole(1, faults) }, () =>
    randomFault(random, count, until, timeouts),
  );
  return { seed, plan, mode, cleanup: random.chance(0.5), agents, faults: wrong };
}

function randomStage(random: SeededRandom, index: number): StagePlan {
  const durationMs = random.pick([1000, 1000, 1000, 2000, 2500, 4000, 7000, undefined]);
  const counted = durationMs === undefined || random.chance(0.2);
  return stageOf({
    index,
    name: `stage-${String(index)}`,
    durationMs,
    maxOperations: counted ? random.pick([1, 2, 100, 1000, 3000]) : undefined,
  });
}

function randomAgent(random: SeededRandom, slowLink: boolean): AgentScenario {
  return {
    delayMs: slowLink ? random.between(200, 1500) : random.pick([0.05, 0.1, 1, 20, 80]),
    jitterMs: random.pick([0, 0.1, 1, 10]),
    clockOffsetMs: random.pick([0, random.between(-3500, 3500), 1e7]) + 1e6,
    driftPpm: random.pick([random.between(-20, 20), random.between(-100, 100)]),
    listens: true,
    traits: {
      operationsPerSecond: random.pick([200, 1000, 5000]),
      prepareMs: random.pick([10, 300, 1500, 4000]),
      drainMs: random.pick([0, 1, 20, 500]),
      cleanupMs: random.pick([5, 200, 2000]),
      deaf: random.chance(0.05),
    },
  };
}

function randomFault(
  random: SeededRandom,
  agents: number,
  untilMs: number,
  timeouts: Timeouts,
): Fault {
  const atMs = random.between(0, untilMs);
  const agent = random.whole(0, agents - 1);
  const short = random.between(50, 3000);
  // Around every deadline there is, and far beyond.
  const forMs = random.pick([
    short,
    short,
    random.between(1, 1.5) * timeouts.collectMs,
    random.between(0.8, 1.2) * timeouts.reconnectWindowMs,
    random.between(0.8, 1.3) * (timeouts.pingAfterMs + timeouts.hungAfterMs),
    2 * timeouts.leaseMs,
  ]);
  switch (random.whole(0, 18)) {
    case 0:
    case 1:
      return { kind: 'cut', atMs, agent };
    case 2:
      return { kind: 'refuse', atMs, agent, forMs };
    case 3:
    case 4:
      return {
        kind: 'block',
        atMs,
        agent,
        from: random.pick(['controller', 'agent', 'both']),
        forMs,
      };
    case 5:
      return { kind: 'slow', atMs, agent, delayMs: random.between(100, 2500), forMs };
    case 6: {
      const faults = {
        corrupt: random.pick([0, 0.02, 0.2, 0.6]),
        drop: random.pick([0, 0.02, 0.2]),
        repeat: random.pick([0, 0.1, 0.5]),
      };
      return { kind: 'frames', atMs, agent, faults: { ...noFrameFaults, ...faults }, forMs };
    }
    case 7:
    case 8: {
      const what = random.pick(['control', 'runner', 'host'] as const);
      return { kind: 'freeze', atMs, agent, what, forMs };
    }
    case 9:
      return { kind: 'freezeController', atMs, forMs };
    case 10:
      return {
        kind: 'crashAgent',
        atMs,
        agent,
        restartAfterMs: random.pick([undefined, 10, 500, 4000]),
      };
    case 11:
      return { kind: 'killRunner', atMs, agent };
    case 12:
      return { kind: 'stall', atMs, agent, forMs };
    case 13:
      return { kind: 'interrupt', atMs, againAfterMs: random.pick([undefined, undefined, 5, 800]) };
    case 14:
      return {
        kind: 'flap',
        atMs,
        agent,
        times: random.whole(2, 6),
        everyMs: random.between(50, 2000),
      };
    case 15: {
      const all = Array.from({ length: agents }, (_, index) => index);
      const hit = all.filter(() => random.chance(0.6));
      return { kind: 'outage', atMs, agents: hit, refused: random.chance(0.5), forMs };
    }
    case 16:
      return {
        kind: 'throttle',
        atMs,
        agent,
        bytesPerSecond: random.pick([600, 1000, 4000]),
        forMs,
      };
    case 17: {
      const stallMs = random.between(50, 900);
      return {
        kind: 'stutter',
        atMs,
        times: random.whole(2, 8),
        everyMs: stallMs * 3,
        forMs: stallMs,
      };
    }
    default:
      return random.chance(0.5)
        ? { kind: 'stopAgent', atMs, agent }
        : { kind: 'crashController', atMs };
  }
}
