/** What a schema cannot see: whether the keys of a plan make sense together. Paths are those of the config. */
import { isEmbedded } from '../../shared/model/embedded.js';
import { checkExpectations } from './check-expectations.js';
import { checkGiven } from './check-given.js';
import { checkNull } from './check-null.js';
import { checkPrepare } from './check-prepare.js';
import { checkShift } from './check-shift.js';
import { checkStages } from './check-stages.js';
import { checkTargets } from './check-targets.js';
import { checkTimeouts } from './check-timeouts.js';
import { checkVerify } from './check-verify.js';
import type { Plan } from '../../shared/model/plan.js';
import type { Finding } from './finding.js';

export function checkPlan(plan: Plan): readonly Finding[] {
  return [
    ...checkTargets(plan),
    ...checkDataset(plan),
    ...checkGiven(plan),
    ...checkPrepare(plan),
    ...checkShift(plan),
    ...checkNull(plan),
    ...checkStages(plan),
    ...checkVerify(plan),
    ...checkExpectations(plan),
    ...checkTimeouts(plan),
    ...checkPolicy(plan),
  ];
}

const mostFolders = 1e6;

function* checkDataset(plan: Plan): Generator<Finding> {
  const { dataset, agents } = plan;
  const { width, depth } = dataset.directories;
  if (width ** depth > mostFolders) {
    yield {
      level: 'error',
      path: ['dataset', 'directories'],
      message: `${String(width)}^${String(depth)} folders are too many; at most ${String(mostFolders)}`,
    };
  }
  if (!Number.isSafeInteger(dataset.files * dataset.fileSizeBytes * agents.length)) {
    yield {
      level: 'error',
      path: ['dataset'],
      message: 'files × file_size is more than can be counted exactly (2^53 bytes)',
    };
  }
}

function* checkPolicy(plan: Plan): Generator<Finding> {
  // Embedded agents live and die with the controller.
  const remote = plan.agents.some((agent) => !isEmbedded(agent.address));
  if (plan.failurePolicy === 'majority' && plan.agents.length === 2 && remote) {
    yield {
      level: 'warning',
      path: ['failure_policy'],
      about: [['agents']],
      message:
        'with two agents the loss of one loses the majority and ends the run; `any` would go on with the other',
    };
  }
}
