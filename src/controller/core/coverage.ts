import { coveredSeconds, doneSeconds } from './agent-outcome.js';
import type { AgentTrack, StageTrack } from './stage-track.js';
import type { Coverage } from './summary.js';

/** How much of what was planned is in the numbers. */
export function coverageOf(
  agents: readonly AgentTrack[],
  stages: readonly StageTrack[],
  mode: 'run' | 'prepare' | 'cleanup',
): Coverage {
  const completed = agents.filter((agent) =>
    mode === 'run'
      ? stages.every((stage) => stage.stateOf(agent) === 'COMPLETED')
      : agent.session === 'COMPLETED',
  ).length;
  const ratio = mode === 'run' ? secondsRatio(agents, stages) : completed / agents.length;
  return {
    agents_planned: agents.length,
    agents_completed: completed,
    host_seconds_ratio: ratio === undefined ? null : Math.round(ratio * 1e6) / 1e6,
  };
}

/** Undefined: what was planned is not known. */
function secondsRatio(
  agents: readonly AgentTrack[],
  stages: readonly StageTrack[],
): number | undefined {
  let planned = 0;
  let reported = 0;
  for (const stage of stages) {
    const seconds = stageSeconds(stage);
    if (seconds === undefined) return undefined;
    for (const agent of agents) {
      const own = agentSeconds(stage, agent, seconds);
      planned += own.planned;
      reported += own.reported;
    }
  }
  return planned > 0 ? reported / planned : 0;
}

/**
 * What the stage should have lasted: as planned; where it ends by its work, as long as anyone was at it. Undefined when
 * nobody has finished that work.
 */
function stageSeconds({ plan, agents }: StageTrack): number | undefined {
  const planned = plan.durationMs === undefined ? undefined : plan.durationMs / 1000;
  const known = [...agents.values()].map((agent) => ({
    done: doneSeconds(agent, plan),
    held: agent.result ? coveredSeconds(agent) : agent.held.end,
  }));
  const isDone = known.some(({ done }) => done !== undefined);
  const longest = Math.max(0, ...known.map(({ done, held }) => done ?? held));
  if (planned === undefined) return isDone ? longest : undefined;
  // Who was cut short might have been at it until the end; who never began would have been as fast as those who finished.
  const isWhole = isDone && known.every(({ done }) => done !== undefined);
  return isWhole ? Math.min(planned, longest) : planned;
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
