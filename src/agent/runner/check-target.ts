import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Assignment } from '../../shared/model/assignment.js';
import { parseTarget } from '../engines/registry.js';
import type { Mount } from '../core/mounts.js';
import { markerIn } from './claim-dataset.js';
import { readManifest, readMarker } from './dataset-files.js';
import { usedByAnother } from './dataset-lease.js';
import { failureFrom } from './failure.js';
import { demandSpace, freeSpace } from './free-space.js';
import { holdGiven } from './given-files.js';
import type { Limits } from './given-files.js';
import { givenFacts, mountBelow } from './target-facts.js';
import type { TargetFacts } from './target-facts.js';
import { datasetFolder, resolveTarget } from './target.js';

/** What a look at the target tells. */
export interface TargetReport {
  readonly target: string;
  /** null: none serves the target. */
  readonly engine: string | null;
  /** One sentence each; empty: a run can use the target. */
  readonly problems: readonly string[];
  /** The following are null when the engine has no folder, or it could not be reached. */
  readonly realPath: string | null;
  readonly writable: boolean | null;
  readonly freeBytes: number | null;
  readonly freeInodes: number | null;
  readonly mount: Mount | null;
  /** What of this plan's dataset is there already. */
  readonly dataset: 'absent' | 'same' | 'other' | null;
  /** Existing files or devices of the plan, with their sizes; null when its dataset is another one. */
  readonly given: TargetFacts['given'];
}

/** Looks at the target and leaves nothing behind. */
export function checkTarget(assignment: Assignment, limits: Limits): TargetReport {
  const target = parseTarget(assignment.target);
  const nothing: TargetReport = {
    target: assignment.target,
    engine: typeof target === 'string' ? null : target.engine.name,
    problems: typeof target === 'string' ? [target] : [],
    realPath: null,
    writable: null,
    freeBytes: null,
    freeInodes: null,
    mount: null,
    dataset: null,
    given: null,
  };
  if (typeof target === 'string' || !target.engine.needsDataset) return nothing;
  try {
    const { given } = assignment.dataset;
    if (given !== undefined) {
      const held = holdGiven(given, assignment, limits);
      return {
        ...nothing,
        given: givenFacts(held).given,
      };
    }
    const real = resolveTarget(target.location, limits.roots);
    const folder = datasetFolder(real, assignment);
    const problem = probe(real);
    const refusal = refusalOf(folder, assignment);
    const free = freeSpace(real);
    return {
      ...nothing,
      problems: [problem, refusal].filter((one) => one !== undefined),
      realPath: real,
      writable: problem === undefined,
      freeBytes: free.bytes,
      freeInodes: free.inodes ?? null,
      mount: mountBelow(real),
      dataset: datasetState(folder, assignment.dataset.hash),
    };
  } catch (error) {
    const { message } = failureFrom(error, `cannot look at target ${assignment.target}`);
    return { ...nothing, problems: [message] };
  }
}

/** Permission bits do not tell (root, read-only mounts, quotas, NFS squashing): a file is made and removed. */
function probe(folder: string): string | undefined {
  const name = path.join(folder, `.muster-probe-${randomBytes(6).toString('hex')}`);
  try {
    fs.writeFileSync(name, 'muster', { flag: 'wx' });
    fs.unlinkSync(name);
    return undefined;
  } catch (error) {
    return failureFrom(error, `target ${folder} is not writable`).message;
  }
}

/** Why a run could not make the dataset in its folder. */
function refusalOf(folder: string, assignment: Assignment): string | undefined {
  const { dataset, agentIndex } = assignment;
  try {
    const marker = markerIn(folder, assignment);
    if (marker === undefined) demandSpace(folder, dataset, dataset.use);
    else {
      const { complete } = readManifest(folder, agentIndex, dataset.hash);
      demandSpace(folder, dataset, dataset.own, complete.size);
      return usedByAnother(folder, assignment);
    }
    return undefined;
  } catch (error) {
    return failureFrom(error, `cannot look into the dataset's folder ${folder}`).message;
  }
}

function datasetState(folder: string, hash: string): 'absent' | 'same' | 'other' {
  const isFolder = fs.existsSync(folder) && fs.statSync(folder).isDirectory();
  const marker = isFolder ? readMarker(folder) : undefined;
  if (marker === undefined) return 'absent';
  return marker.hash === hash ? 'same' : 'other';
}
