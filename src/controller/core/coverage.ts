import { coveredSeconds, doneSeconds } from './agent-outcome.js';
import type { AgentTrack, StageTrack } from './stage-track.js';
import type { Coverage } from './summary.js';

/** How much of what was planned is in the numbers. */
export function coverageOf(
  agents: readonly AgentTrack[],
  stages: readonly StageTrack[],
  mode: 'run' | 'prepare' | 'cleanup',
): Coverage {
  let planned = 0;
  let reported = 0;
  for (const stage of stages) {
    const seconds = stageSeconds(stage);
    for (const agent of agents) {
      const own = agentSeconds(stage, agent, seconds);
      planned += own.planned;
      reported += own.reported;
    }
  }
  const completed = agents.filter((agent) =>
    mode === 'run'
      ? stages.every((stage) => stage.stateOf(agent) === 'COMPLETED')
      : agent.session === 'COMPLETED',
  ).length;
  const ratio = mode === 'run' ? reported / planned : completed / agents.length;
  return {
    agents_planned: agents.length,
    agents_completed: completed,
    host_seconds_ratio: Number.isFinite(ratio) ? Math.round(ratio * 1e6) / 1e6 : 0,
  };
}

/** What the stage should have lasted: as planned, else as long as the slowest that finished. */
function stageSeconds(stage: StageTrack): number {
  if (stage.plan.durationMs !== undefined) return stage.plan.durationMs / 1000;
  const known = [...stage.agents.values()].map(
    (agent) =>
      doneSeconds(agent, stage.plan) ?? (agent.result ? coveredSeconds(agent) : agent.held.end),
  );
  return Math.max(0, ...known);
}

function agentSeconds(
  stage: StageTrack,
  agent: AgentTrack,
  seconds: number,
): { planned: number; reported: number } {
  const own = stage.agents.get(agent.plan.index);
  if (!own) return { planned: seconds, reported: 0 };
  const done = doneSeconds(own, stage.plan);
  if (done === undefined) {
    return { planned: seconds, reported: Math.min(seconds, coveredSeconds(own)) };
  }
  // Who finished early (by operations or bytes) did all its work. A final report covers missing intervals' operations.
  const planned = Math.min(done, seconds);
  return { planned, reported: planned };
}
