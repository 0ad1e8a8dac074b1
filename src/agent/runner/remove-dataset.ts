import fs from 'node:fs';
import path from 'node:path';
import { counted } from '../../shared/kernel/counted.js';
import { codeOf } from '../../shared/kernel/errors.js';
import type { Assignment } from '../../shared/model/assignment.js';
import { demandSame } from './claim-dataset.js';
import { readMarker } from './dataset-files.js';
import { leaseDataset, type DatasetLease } from './dataset-lease.js';
import { dataFolder, hereName, historyName, manifestName, markerName } from './dataset-layout.js';
import { failureFrom } from './failure.js';
import { FileRanges } from './file-ranges.js';
import { isRealFolder } from './files-job.js';
import { workOnFiles } from './files-work.js';
import { filesThreads } from './prepare-dataset.js';
import { removeChurn, removeIfEmpty } from './remove-churn.js';
import { removeFile } from './remove-file.js';
import type { RunnerParts } from './runner-parts.js';
import { enterFolder } from './target.js';

export interface Removed {
  readonly files: number;
  readonly warnings: readonly string[];
}

/** By the cleanup of another run of the same dataset, for example. Open files can still be read and written then. */
const takenAway =
  'had been moved or removed by somebody else: stages may have worked on something else';

/**
 * Removes what this agent made, by the names that the assignment gives, and nothing else; folders go when they are
 * empty. In a shared namespace agent 0 comes last and takes the marker along.
 * @throws RunnerFailure when the folder holds another dataset
 */
export async function removeDataset(
  parts: RunnerParts,
  assignment: Assignment,
  folder: string,
): Promise<Removed> {
  const { dataset, agentIndex, namespace } = assignment;
  let lease: DatasetLease | undefined;
  try {
    // A run that comes to its cleanup had all of its files; `cleanup` removes what there is.
    const hadAll = assignment.mode === 'run';
    if (isAbsent(folder)) {
      return { files: 0, warnings: hadAll ? [`${folder} ${takenAway}`] : [] };
    }
    const marker = readMarker(folder);
    if (marker === undefined) {
      return {
        files: 0,
        warnings: [`${folder} has no marker of Muster: nothing in it was removed`],
      };
    }
    demandSame(folder, marker, assignment);
    enterFolder(folder);
    lease = await leaseDataset(parts, assignment, folder);
    const { files } = await workOnFiles({
      ...parts,
      kind: 'remove',
      dataset,
      owner: 0,
      refusesHoles: false,
      listed: new FileRanges(),
      threads: filesThreads(assignment),
      progress: (progress) => {
        parts.emit({ kind: 'progress', phase: 'cleanup', ...progress });
      },
      done: () => undefined,
    });
    const churned = await removeChurn(agentIndex, parts.signal);
    await removeEmptyTree(dataFolder);
    removeFile(hereName);
    lease?.release();
    // A crash leaves what was to replace them.
    for (const end of ['', '.new']) {
      removeFile(manifestName(agentIndex) + end);
      removeFile(historyName + end);
    }
    const isLast = namespace === 'private' || agentIndex === 0;
    const warnings = isLast ? await removeFolder(folder, namespace === 'private') : [];
    const missing = dataset.own.to - dataset.own.from - files;
    if (hadAll && missing > 0) {
      warnings.unshift(`${counted(missing, 'file')} of ${folder} ${takenAway}`);
    }
    return { files: files + churned, warnings };
  } catch (error) {
    lease?.release();
    throw failureFrom(error, `cannot clean up ${folder}`);
  }
}

/** What does not answer (a stale handle, say) is not known to be gone. @throws what the system answers */
function isAbsent(folder: string): boolean {
  try {
    fs.statSync(folder);
    return false;
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return true;
    throw error;
  }
}

/** The folder itself goes only when nothing but the marker is left in it. */
async function removeFolder(folder: string, hasParent: boolean): Promise<string[]> {
  const left: string[] = [];
  for (const name of leftIn('.')) if (left.push(name) > 3) break;
  left.sort();
  if (left.length > 0) {
    return [
      `${folder} was kept: it still holds ${left.slice(0, 3).join(', ')}${left.length > 3 ? ' …' : ''}`,
    ];
  }
  // Here, and not by its path: another folder may have taken the place of this one.
  fs.unlinkSync(markerName);
  process.chdir('/');
  if (!(await removeIfEmpty(folder))) return [`${folder} was kept: it is not empty`];
  if (hasParent) await removeIfEmpty(path.dirname(folder));
  return [];
}

/** What is left: the files by their paths, and folders only where they are empty. */
function* leftIn(folder: string): Generator<string> {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    let isEmpty = true;
    if (entry.isDirectory()) {
      for (const within of leftIn(name)) {
        isEmpty = false;
        yield within;
      }
    }
    if (isEmpty && name !== markerName) yield name;
  }
}

/** Removes empty folders of the names that Muster gives, deepest first. */
async function removeEmptyTree(folder: string): Promise<void> {
  if (!isRealFolder(folder)) return;
  for (const name of fs.readdirSync(folder)) {
    if (/^d\d+$/u.test(name)) await removeEmptyTree(`${folder}/${name}`);
  }
  await removeIfEmpty(folder);
}
