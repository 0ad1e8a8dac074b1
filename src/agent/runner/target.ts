import fs from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../shared/kernel/errors.js';
import type { Assignment } from '../../shared/model/assignment.js';
import { refusalOf } from '../core/target-guard.js';
import { RunnerFailure, failureFrom } from './failure.js';

/** The target's real path, allowed and a folder. @throws RunnerFailure */
export function resolveTarget(location: string, roots: readonly string[]): string {
  const real = realPath(location, 'target');
  const refusal = refusalOf(
    real,
    roots.map((root) => realPath(root, '--root')),
  );
  if (refusal !== undefined) throw new RunnerFailure('target', refusal);
  if (!fs.statSync(real).isDirectory()) {
    throw new RunnerFailure('target', `target ${location} is not a folder`);
  }
  return real;
}

function realPath(given: string, what: string): string {
  try {
    return fs.realpathSync(path.resolve(given));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      throw new RunnerFailure(
        'target',
        `${what} ${given} does not exist on this agent: create it, or mount it`,
      );
    }
    throw failureFrom(error, `${what} ${given} cannot be reached`);
  }
}

/** `<target>/<dataset>` in a shared namespace, `<target>/<dataset>/<agent index>` in a private one. */
export function datasetFolder(target: string, assignment: Assignment): string {
  const { name } = assignment.dataset;
  // The assignment came over the wire: the name must not lead anywhere else.
  if (!/^[A-Za-z0-9_][A-Za-z0-9._-]*$/u.test(name)) {
    throw new RunnerFailure('config', `dataset name "${name}" is not a plain folder name`);
  }
  const shared = path.join(target, name);
  return assignment.namespace === 'shared'
    ? shared
    : path.join(shared, String(assignment.agentIndex));
}
