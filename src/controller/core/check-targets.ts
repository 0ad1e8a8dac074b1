import { noFolder, parseTarget } from '../../shared/model/target.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import type { KeyPath } from '../../shared/model/config/path.js';
import type { Finding } from './finding.js';

/** Each bad target once, however many agents have it. */
export function* checkTargets(plan: Plan): Generator<Finding> {
  const reported = new Set<string>();
  for (const agent of plan.agents) {
    const message = plan.dataset.given === undefined ? targetProblem(agent) : given(plan, agent);
    if (message === undefined || reported.has(message)) continue;
    reported.add(message);
    yield { level: 'error', path: targetPath(agent), message };
  }
}

/** The common target is named unless the agent's own is the reason; load-plan knows which agents have their own. */
const targetPath = (agent: AgentPlan): KeyPath => ['agents', agent.index, 'target'];

function targetProblem(agent: AgentPlan): string | undefined {
  if (agent.target === '' || agent.target === noFolder)
    return 'is missing: where should the load go?';
  const placeholder = /\{[^}]*\}/.exec(agent.target)?.[0];
  if (placeholder !== undefined)
    return `${placeholder} is not known; there are {agent} and {index}`;
  const target = parseTarget(agent.target);
  return 'problem' in target ? target.problem : undefined;
}

function given({ dataset }: Plan, agent: AgentPlan): string | undefined {
  if (agent.target === noFolder) return undefined;
  return `has no effect: dataset.${dataset.given?.kind ?? ''} says where the data is; leave it out`;
}
