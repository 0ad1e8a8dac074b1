import fs from 'node:fs';
import path from 'node:path';
import type { Clock } from '../../shared/kernel/clock.js';
import { counted } from '../../shared/kernel/counted.js';
import { codeOf } from '../../shared/kernel/errors.js';
import type { Assignment } from '../../shared/model/assignment.js';
import { awaitShown } from './await-shown.js';
import { readMarker, showsMarker, writeMarker } from './dataset-files.js';
import type { Marker } from './dataset-files.js';
import { Aborted, RunnerFailure, failureFrom } from './failure.js';
import { demandSpace } from './free-space.js';

export interface Claim {
  readonly folder: string;
  readonly assignment: Assignment;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Makes the folder this run's, or finds that it is: afterwards it exists and holds the dataset's marker.
 * In a shared namespace agent 0 makes the marker and the others wait for it.
 * @returns whether the marker was made now
 */
export async function claimDataset(claim: Claim): Promise<boolean> {
  const { folder, assignment, signal } = claim;
  const { dataset, namespace, agentIndex } = assignment;
  if (namespace === 'shared' && agentIndex > 0) {
    await awaitMarker(claim);
    return false;
  }
  try {
    if (markerIn(folder, assignment) !== undefined) return false;
    if (dataset.skipPrepare) refuseAbsent(claim);
    // A marker would bind the folder to a dataset that can never be made there: all of its files must fit.
    demandSpace(folder, dataset, dataset.use);
    // All that can be said against it has been looked for, also where another agent had the run aborted meanwhile.
    if (signal.aborted) throw new Aborted();
    if (namespace === 'private') makeFolder(path.dirname(folder));
    makeFolder(folder);
    writeMarker(folder, markerOf(assignment));
    return true;
  } catch (error) {
    throw failureFrom(error, `cannot make the dataset's folder ${folder}`);
  }
}

/**
 * Changes nothing.
 * @returns undefined when the folder is not there, or empty
 * @throws RunnerFailure when it cannot be this dataset's
 */
export function markerIn(folder: string, assignment: Assignment): Marker | undefined {
  const parent = path.dirname(folder);
  if (assignment.namespace === 'private' && isFolder(parent)) demandOnlyPrivate(parent);
  if (!isFolder(folder)) return undefined;
  const marker = readMarker(folder);
  if (marker === undefined) demandEmpty(folder);
  else demandSame(folder, marker, assignment);
  return marker;
}

/** @throws RunnerFailure that names both hashes */
export function demandSame(folder: string, marker: Marker, assignment: Assignment): void {
  const { hash, name } = assignment.dataset;
  if (marker.hash === hash) return;
  const theirs = `hash ${short(marker.hash)}, made by ${marker.creator} for ${counted(marker.agents, 'agent')}`;
  const ours = `hash ${short(hash)}, ${counted(assignment.agentCount, 'agent')}`;
  throw new RunnerFailure(
    'dataset',
    `${folder} holds another dataset (${theirs}) than "${name}" of this plan (${ours}): clean it up with its own plan and as many agents, or use another dataset name`,
  );
}

/** Enough to tell two datasets apart in a sentence. */
const short = (hash: string): string => hash.slice(0, 12);

function markerOf(assignment: Assignment): Marker {
  const { dataset, creator, namespace, agentCount, runId } = assignment;
  return {
    product: 'muster',
    version: 1,
    hash: dataset.hash,
    creator,
    namespace,
    agents: agentCount,
    runId,
  };
}

/** The folder that private datasets of all agents share: it may hold nothing but theirs. */
function demandOnlyPrivate(parent: string): void {
  const foreign = fs.readdirSync(parent).find((name) => !/^\d+$/u.test(name));
  if (foreign !== undefined) refuseForeign(parent, foreign);
}

function demandEmpty(folder: string): void {
  const foreign = fs.readdirSync(folder)[0];
  if (foreign !== undefined) refuseForeign(folder, foreign);
}

function refuseForeign(folder: string, foreign: string): never {
  throw new RunnerFailure(
    'dataset',
    `${folder} is not empty (${foreign}) and was not made by Muster: use another target or dataset name`,
  );
}

function refuseAbsent({ folder, assignment }: Claim): never {
  throw new RunnerFailure(
    'dataset',
    `dataset "${assignment.dataset.name}" is not in ${folder}: run without --skip-prepare, or prepare first`,
  );
}

function makeFolder(folder: string): void {
  try {
    fs.mkdirSync(folder, 0o755);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    isFolder(folder);
  }
}

/** @throws RunnerFailure when something else is there */
function isFolder(folder: string): boolean {
  const found = fs.lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined || found.isDirectory()) return found !== undefined;
  throw new RunnerFailure('dataset', `${folder} exists and is not a folder (or a link to one)`);
}

async function awaitMarker({ folder, assignment, clock, signal }: Claim): Promise<void> {
  const look = (): Marker | undefined => (showsMarker(folder) ? readMarker(folder) : undefined);
  const marker = await awaitShown(look, clock, signal);
  if (marker === undefined) {
    throw new RunnerFailure(
      'target',
      `target ${assignment.target} is not shared with agent 0: its marker does not show in ${folder} (namespace "shared" needs one file system mounted on all agents)`,
    );
  }
  demandSame(folder, marker, assignment);
}
