import fs from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../shared/kernel/errors.js';
import type { Assignment } from '../../shared/model/assignment.js';
import { refusalOf } from '../core/target-guard.js';
import { RunnerFailure, failureFrom } from './failure.js';

/** The target's real path, allowed and a folder. @throws RunnerFailure */
export function resolveTarget(location: string, roots: readonly string[]): string {
  // `file:` names the engine alone; where it leads would depend on where the agent was started.
  if (location === '') throw new RunnerFailure('target', 'target is missing: name a folder');
  const real = realPath(location, 'target');
  const refusal = refusalOf(
    real,
    roots.map((root) => realPath(root, '--root')),
  );
  if (refusal !== undefined) throw new RunnerFailure('target', refusal);
  if (!isFolder(real, location)) {
    throw new RunnerFailure('target', `target ${location} is not a folder`);
  }
  return real;
}

function isFolder(real: string, location: string): boolean {
  try {
    return fs.statSync(real).isDirectory();
  } catch (error) {
    throw failureFrom(error, `target ${location} cannot be reached`);
  }
}

/** @throws RunnerFailure that begins with `what` and the path */
export function realPath(given: string, what: string): string {
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

/**
 * Makes the folder the working directory, to which all later paths are relative: whatever becomes of the names above it,
 * the run stays where it was judged to be.
 * @throws RunnerFailure when a name on the way was exchanged since then
 */
export function enterFolder(folder: string): void {
  process.chdir(folder);
  const real = process.cwd();
  if (real === folder) return;
  // What is done at the end of the run is relative, too.
  process.chdir('/');
  throw new RunnerFailure(
    'target',
    `${folder} leads to ${real} now: a link took the place of a folder`,
  );
}
