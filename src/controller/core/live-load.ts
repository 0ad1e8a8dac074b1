import { Histogram } from '../../shared/metrics/histogram.js';
import type { AgentStage } from './agent-stage.js';
import type { AgentLoad, AgentRates, LiveLoad } from './snapshot.js';
import type { AgentTrack, StageTrack } from './stage-track.js';

/** An agent that is more seconds behind the newest does not hold the others' numbers back. */
const mostBehind = 5;

/** The numbers of the live view. Reading changes nothing. */
export function liveLoad(
  stages: readonly StageTrack[],
  current: StageTrack | undefined,
  agents: readonly AgentTrack[],
): LiveLoad {
  const own = [...(current?.agents ?? [])].sort(([a], [b]) => a - b);
  const second = current && commonSecond(current, agents);
  const loads = own.map(([index, agent]) => agentLoad(index, agent, stages));
  let operationsPerSecond = 0;
  let bytesPerSecond = 0;
  for (const [, agent] of own) {
    const part = second === undefined ? undefined : partAt(agent, second);
    operationsPerSecond += part?.operations ?? 0;
    bytesPerSecond += part?.bytes ?? 0;
  }
  return {
    stage: current?.plan.index,
    second,
    operationsPerSecond,
    bytesPerSecond,
    p99Ns: current && second !== undefined ? p99At(current, second) : undefined,
    errors: stages.reduce((sum, stage) => sum + errorsOf(stage), 0),
    operations: loads.reduce((sum, load) => sum + load.operations, 0),
    bytes: loads.reduce((sum, load) => sum + load.bytes, 0),
    agents: loads,
  };
}

/** The newest second that every agent still at work has reported; of all agents when none is. */
function commonSecond(stage: StageTrack, agents: readonly AgentTrack[]): number | undefined {
  const all = [...stage.agents.values()];
  const newest = Math.max(-1, ...all.map(newestOf));
  if (newest < 0) return undefined;
  const atWork = agents
    .filter(({ link }) => link === 'CONNECTED')
    .flatMap(({ plan }) => stage.agents.get(plan.index) ?? [])
    .filter((agent) => !agent.result && newestOf(agent) >= newest - mostBehind);
  const common = Math.min(newest, ...atWork.map(newestOf));
  return common < 0 ? undefined : common;
}

function newestOf({ recent }: AgentStage): number {
  return recent.at(-1)?.last ?? -1;
}

function partAt(
  agent: AgentStage,
  second: number,
): { operations: number; bytes: number } | undefined {
  const interval = agent.recent.find((one) => one.first <= second && second <= one.last);
  if (!interval) return undefined;
  const length = interval.last - interval.first + 1;
  return { operations: interval.count / length, bytes: interval.bytes / length };
}

function agentLoad(index: number, agent: AgentStage, stages: readonly StageTrack[]): AgentLoad {
  return {
    index,
    latest: agent.result ? undefined : latestRates(agent),
    errors: stages.reduce((sum, stage) => sum + (stage.agents.get(index)?.errors ?? 0), 0),
    operations: agent.count,
    bytes: agent.bytes,
    reportedSeconds: agent.held.contiguous,
  };
}

function latestRates({ recent }: AgentStage): AgentRates | undefined {
  const last = recent.at(-1);
  if (!last) return undefined;
  const length = last.last - last.first + 1;
  return {
    operationsPerSecond: last.count / length,
    bytesPerSecond: last.bytes / length,
    p99Ns: last.p99Ns,
  };
}

function p99At(stage: StageTrack, second: number): number | undefined {
  const merged = new Histogram();
  for (const seconds of stage.headlineSeconds.values()) {
    merged.merge(seconds.within({ first: second, last: second }));
  }
  return merged.count > 0 ? merged.percentile(99) : undefined;
}

function errorsOf(stage: StageTrack): number {
  let errors = 0;
  for (const agent of stage.agents.values()) errors += agent.errors;
  return errors;
}
