import os from 'node:os';
import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import { smallestSize } from '../../shared/model/sizes.js';
import { claimDataset } from './claim-dataset.js';
import { awaitOtherAgents, completeFiles } from './complete-files.js';
import { readManifest, writeManifest } from './dataset-files.js';
import { leaseDataset, type DatasetLease } from './dataset-lease.js';
import type { Manifest } from './dataset-files.js';
import { Aborted, RunnerFailure, failureFrom } from './failure.js';
import { isSyncedAlone } from './files-job.js';
import { FileRanges } from './file-ranges.js';
import { workOnFiles } from './files-work.js';
import { averageBytes, demandSpace } from './free-space.js';
import { awaitNeighbours, markHere } from './neighbour.js';
import { removeChurn } from './remove-churn.js';
import type { RunnerParts } from './runner-parts.js';
import { ownerOf } from './verify/verification.js';
import { syncFolder } from './sync-folder.js';
import { fileSizesOf } from './choosing/file-sizes.js';
import { enterFolder } from './target.js';
import { counted } from '../../shared/kernel/counted.js';

/** More writers than this help no storage that we know of to take a dataset. */
const mostThreads = 32;
/** A thread takes about 150 ms of CPU time to start (measured): it is not started for less than this. */
const filesWorthAThread = 16;
const bytesWorthAThread = 64 * 1024 * 1024;
/** Less than this is written back before anybody notices. */
const worthSyncingBytes = 64 * 1024 * 1024;

/**
 * Makes the dataset under `folder` complete and the folder the working directory.
 * @returns this run's hold on it. @throws RunnerFailure, Aborted
 */
export async function prepareDataset(
  parts: RunnerParts,
  assignment: Assignment,
  folder: string,
): Promise<DatasetLease | undefined> {
  const { clock, signal } = parts;
  let lease: DatasetLease | undefined;
  try {
    await claimDataset({ folder, assignment, clock, signal });
    enterFolder(folder);
    lease = await leaseDataset(parts, assignment, folder);
    await makeFiles(parts, assignment, folder);
    return lease;
  } catch (error) {
    lease?.release();
    throw failureFrom(error, `cannot prepare the dataset in ${folder}`);
  }
}

async function makeFiles(
  parts: RunnerParts,
  assignment: Assignment,
  folder: string,
): Promise<void> {
  const { clock, signal, emit } = parts;
  const { dataset, agentIndex } = assignment;
  emit({ kind: 'marked' });
  markHere(assignment);
  await removeChurn(agentIndex, signal);
  const listed = readManifest('.', agentIndex, dataset.hash).complete;
  if (dataset.skipPrepare) demandComplete(assignment, folder);
  else demandSpace(folder, dataset, dataset.own, listed.size);

  const isFilled = dataset.prepare !== 'none';
  const { files, bytes, beganNs } = await workOnFiles({
    ...parts,
    kind: dataset.skipPrepare ? 'check' : isFilled ? 'make' : 'create',
    dataset,
    owner: ownerOf(assignment),
    refusesHoles: assignment.stages.some(comparesNothing),
    listed,
    threads: filesThreads(assignment),
    progress: (progress) => {
      emit({ kind: 'progress', phase: 'prepare', ...progress });
    },
    done: (files) => {
      if (dataset.skipPrepare) return;
      const complete = new FileRanges([...listed.toArray(), ...files.toArray()]);
      saveManifest(assignment, isFilled ? { complete } : { complete: listed, empty: files });
    },
  });
  const smallest = smallestSize(dataset.fileSizes ?? dataset.fileSizeBytes);
  const unsyncedBytes =
    !isFilled || isSyncedAlone(smallest) ? 0 : files * averageBytes(dataset, dataset.own);
  if (unsyncedBytes >= worthSyncingBytes) await syncDataset(parts);
  const kept = dataset.own.to - dataset.own.from - files;
  const tookNs = Number(clock.nowNs() - beganNs);
  emit({ kind: 'marked', prepared: { files, bytes, kept, tookNs } });
  if (assignment.mode === 'run') {
    await awaitOtherAgents(parts, assignment, isFilled ? 'complete' : 'made');
    await awaitNeighbours(parts, assignment, isFilled ? 'complete' : 'made');
  }
}

/** @throws RunnerFailure */
export function saveManifest(
  { dataset, agentIndex }: Assignment,
  manifest: Partial<Manifest>,
): void {
  try {
    writeManifest('.', agentIndex, dataset.hash, manifest);
  } catch (error) {
    throw failureFrom(error, `cannot write the manifest of dataset "${dataset.name}"`);
  }
}

/** Forces all of the file system out: as much as that takes, it is less than file by file. */
async function syncDataset({ signal, emit }: RunnerParts): Promise<void> {
  const problem = await syncFolder('.', signal);
  if (signal.aborted) throw new Aborted();
  if (problem !== undefined) {
    emit({
      kind: 'log',
      level: 'warn',
      line: `dataset not forced to the device (${problem}): its write-back may disturb the first stage`,
    });
  }
}

export function reads({ mix, fio }: StageAssignment): boolean {
  return (
    fio !== undefined || mix.some(({ operation }) => operation === 'read' || operation === 'get')
  );
}

/** Reads, and would not notice that what it reads was never written. */
export function comparesNothing(stage: StageAssignment): boolean {
  return reads(stage) && !stage.verify;
}

export function filesThreads({ dataset, stages }: Assignment): number {
  const tuned = dataset.prepare === 'none' ? undefined : dataset.prepare.threads;
  if (tuned !== undefined) return tuned;
  const { from, to } = dataset.own;
  const worth = Math.max(
    1,
    Math.ceil((to - from) / filesWorthAThread),
    Math.ceil(fileSizesOf(dataset).sum(from, to) / bytesWorthAThread),
  );
  const wanted = Math.max(os.availableParallelism() * 2, ...stages.map((s) => s.threads));
  return Math.min(wanted, worth, mostThreads);
}

function demandComplete(assignment: Assignment, folder: string): void {
  const { dataset } = assignment;
  const complete = completeFiles(assignment);
  if (complete.covers(dataset.use.from, dataset.use.to)) return;
  throw new RunnerFailure(
    'dataset',
    `dataset "${dataset.name}" in ${folder} is not complete (${String(complete.size)} of ${counted(dataset.use.to - dataset.use.from, 'file')}): run without --skip-prepare`,
  );
}
