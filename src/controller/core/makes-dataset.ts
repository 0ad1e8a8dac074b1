import { engineCapabilities } from '../../shared/model/engines.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import { parseTarget } from '../../shared/model/target.js';

/** Whether an agent makes files that stay until they are removed: not in memory, and not given by their owner. */
export function makesDataset({ dataset }: Plan, { target }: AgentPlan): boolean {
  return dataset.given === undefined && !keepsNothing(target);
}

/** What is written there is gone at once. */
export function keepsNothing(target: string): boolean {
  const parsed = parseTarget(target);
  return !('problem' in parsed) && !engineCapabilities[parsed.engine].stores;
}
