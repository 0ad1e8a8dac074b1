import { fleetPlan, stageOf } from '../scripted-fleet.js';
import type { AgentScenario, Fault, Scenario } from './scenario.js';

/** A host nearby with nothing wrong. */
export const calmAgent: AgentScenario = {
  delayMs: 0.2,
  jitterMs: 0.1,
  clockOffsetMs: 1e6,
  driftPpm: 20,
  listens: true,
  traits: {
    operationsPerSecond: 1000,
    prepareMs: 2000,
    drainMs: 0,
    cleanupMs: 20,
    deaf: false,
  },
};

/** Three agents, one stage of 20 s, default timeouts. T0 is about 4.1 s after the beginning. */
export function scene(
  faults: readonly Fault[],
  changes: Partial<Omit<Scenario, 'faults'>> = {},
): Scenario {
  return {
    seed: 7,
    plan: fleetPlan(3, { stages: [stageOf({ durationMs: 20_000 })] }),
    mode: 'run',
    cleanup: true,
    agents: [calmAgent, calmAgent, calmAgent],
    faults,
    ...changes,
  };
}
