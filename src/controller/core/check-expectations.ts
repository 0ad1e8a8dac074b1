import { suggestion } from '../../shared/model/config/suggest.js';
import type { Plan } from '../../shared/model/plan.js';
import type { Finding } from './finding.js';

export function* checkExpectations(plan: Plan): Generator<Finding> {
  for (const [index, expectation] of plan.expect.entries()) {
    const path = ['expect', index];
    const stage = plan.stages.find((candidate) => candidate.name === expectation.stage);
    if (stage === undefined) {
      const names = plan.stages.map((candidate) => candidate.name);
      yield {
        level: 'error',
        path,
        about: [['stages']],
        message: `no stage is called "${expectation.stage}"; ${suggestion(expectation.stage, names)}`,
      };
      continue;
    }
    const { operation } = expectation;
    if (operation !== undefined && !stage.mix.some((entry) => entry.operation === operation)) {
      yield {
        level: 'error',
        path,
        about: [['stages']],
        message: `stage "${stage.name}" does no ${operation}, so "${expectation.text}" could never be met`,
      };
    }
  }
}
