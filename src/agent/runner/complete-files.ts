import type { Assignment } from '../../shared/model/assignment.js';
import { meanSize } from '../../shared/model/sizes.js';
import { waitUntil } from '../core/wait-until.js';
import { readManifest } from './dataset-files.js';
import type { Manifest } from './dataset-files.js';
import { neighbourFolder } from './dataset-layout.js';
import { Aborted } from './failure.js';
import { FileRanges } from './file-ranges.js';
import type { RunnerParts } from './runner-parts.js';

const lookEveryNs = 250_000_000n;
const looksPerReport = 4;

/** What whoever makes files of the dataset in the working directory says of them. */
function manifestsOf({
  dataset,
  namespace,
  agentCount,
  agentIndex,
}: Assignment): readonly Manifest[] {
  const makers =
    namespace === 'shared' ? Array.from({ length: agentCount }, (_, i) => i) : [agentIndex];
  return makers.map((maker) => readManifest('.', maker, dataset.hash));
}

/** Files of the dataset in the working directory that are listed as complete, by whoever made them. */
export function completeFiles(assignment: Assignment): FileRanges {
  return new FileRanges(manifestsOf(assignment).flatMap(({ complete }) => complete.toArray()));
}

/**
 * In a shared dataset, waits until the other agents' files are complete too, or (`made`) are there for stages to write
 * them: a stage opens all of them. How long that may take is for the controller to judge; it sees this agent waiting and
 * the others getting on, or not.
 * @throws Aborted
 */
export async function awaitOtherAgents(
  parts: RunnerParts,
  assignment: Assignment,
  state: 'complete' | 'made',
): Promise<void> {
  await awaitManifests(parts, assignment, () =>
    filesIn(manifestsOf(assignment), assignment, state),
  );
}

/** Waits likewise for the files of another agent's private dataset. @throws Aborted */
export async function awaitNeighbour(
  parts: RunnerParts,
  assignment: Assignment,
  agent: number,
  state: 'complete' | 'made',
): Promise<void> {
  const folder = neighbourFolder(agent);
  await awaitManifests(parts, assignment, () =>
    filesIn([readManifest(folder, agent, assignment.dataset.hash)], assignment, state),
  );
}

interface Found {
  readonly files: FileRanges;
  readonly isEnough: boolean;
}

function filesIn(
  manifests: readonly Manifest[],
  { dataset: { use } }: Assignment,
  state: 'complete' | 'made',
): Found {
  const files = new FileRanges(
    manifests.flatMap(({ complete, empty }) => [
      ...complete.toArray(),
      ...(state === 'made' ? empty.toArray() : []),
    ]),
  );
  return { files, isEnough: files.covers(use.from, use.to) };
}

/** In a shared dataset, waits until all agents are past the stages that write it. @throws Aborted */
export async function awaitOtherWriters(parts: RunnerParts, assignment: Assignment): Promise<void> {
  await awaitManifests(parts, assignment, () => ({
    files: new FileRanges(),
    isEnough: manifestsOf(assignment).every(({ written }) => written),
  }));
}

async function awaitManifests(
  parts: RunnerParts,
  assignment: Assignment,
  look: () => Found,
): Promise<void> {
  const { clock, signal, emit } = parts;
  const { use, fileSizeBytes, fileSizes } = assignment.dataset;
  const eachBytes = Math.round(meanSize(fileSizes ?? fileSizeBytes));
  const filesTotal = use.to - use.from;
  for (let looks = 0; ; looks++) {
    const { files, isEnough } = look();
    if (isEnough) return;
    if (looks % looksPerReport === 0) {
      const filesDone = files.size;
      const bytesDone = filesDone * eachBytes;
      const bytesTotal = filesTotal * eachBytes;
      emit({ kind: 'progress', phase: 'wait', filesDone, filesTotal, bytesDone, bytesTotal });
    }
    const outcome = await waitUntil(clock, clock.nowNs() + lookEveryNs, signal);
    if (outcome === 'cancelled') throw new Aborted();
  }
}
