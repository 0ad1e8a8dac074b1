import type { Plan } from '../../shared/model/plan.js';
import type { RunRecord } from './records.js';
import { counted } from '../../shared/kernel/counted.js';
import { stageName } from '../../shared/model/stage-name.js';

/** What controller.log says of a record that nobody is told of on the terminal; undefined: nothing. */
export function recordLine(record: RunRecord, { agents, stages }: Plan): string | undefined {
  const idOf = (agent: number): string => agents[agent]?.id ?? String(agent);
  const nameOf = (stage: number): string => stageName(stages, stage);
  switch (record.type) {
    case 'stageStart': {
      const { stage, leadMs = 0, agents: started } = record;
      const count = counted(started.length, 'agent');
      return `Stage ${nameOf(stage)} starts on ${count} in ${(leadMs / 1000).toFixed(1)} s`;
    }
    case 'stageEnd':
      return `Stage ${nameOf(record.stage)} is over`;
    case 'transition': {
      const { agent, from, to, reason } = record;
      return `Agent ${idOf(agent)}: ${from} -> ${to}${reason === '' ? '' : ` (${reason})`}`;
    }
    case 'link': {
      const { agent, to, generation, reason } = record;
      const why = reason === '' ? '' : ` (${reason})`;
      return `Link to agent ${idOf(agent)}: ${to}, stream ${String(generation)}${why}`;
    }
    case 'end': {
      const { outcome, exitCode, reason } = record;
      return `The run is ${outcome}, exit code ${String(exitCode)}${reason === undefined ? '' : `: ${reason}`}`;
    }
    default:
      return undefined;
  }
}
