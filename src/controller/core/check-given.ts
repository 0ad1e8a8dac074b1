/** Existing files and devices: what can be said about them without an agent. */
import type { OperationKind } from '../../shared/model/operation.js';
import type { GivenData, Plan } from '../../shared/model/plan.js';
import type { Finding } from './finding.js';

const possible: Readonly<Record<GivenData['kind'], readonly OperationKind[]>> = {
  existing: ['read', 'write', 'stat'],
  devices: ['read', 'write'],
};

export function* checkGiven(plan: Plan): Generator<Finding> {
  const { given, files } = plan.dataset;
  if (given === undefined) return;
  const path = ['dataset', given.kind];
  if (files > 0) {
    const message = `files are made or they are there already: leave out dataset.files or dataset.${given.kind}`;
    yield { level: 'error', path, message };
  }
  for (const text of given.paths) {
    const placeholder = /\{(?!agent\}|index\})[^}]*\}/.exec(text)?.[0];
    if (placeholder !== undefined) {
      const message = `${placeholder} is not known; there are {agent} and {index}`;
      yield { level: 'error', path, message };
    }
  }
  for (const stage of plan.stages) {
    const kinds = stage.mix.map(({ operation }) => operation);
    const foreign = kinds.filter((kind) => !possible[given.kind].includes(kind));
    if (stage.fio !== undefined) {
      const message = `fio needs files that Muster makes, not dataset.${given.kind}`;
      yield { level: 'error', path: ['stages', stage.index, 'fio'], about: [['dataset']], message };
    }
    if (foreign.length === 0) continue;
    const message = `${foreign.join(', ')} cannot be done with dataset.${given.kind}, where only ${possible[given.kind].join(', ')} can`;
    yield { level: 'error', path: ['stages', stage.index, 'mix'], about: [['dataset']], message };
  }
}
