import type { Assignment } from '../../shared/model/assignment.js';
import { meanSize } from '../../shared/model/sizes.js';
import { waitUntil } from '../core/wait-until.js';
import { readManifest } from './dataset-files.js';
import { Aborted } from './failure.js';
import { FileRanges } from './file-ranges.js';
import type { RunnerParts } from './runner-parts.js';

const lookEveryNs = 250_000_000n;
const looksPerReport = 4;

/** Files of the dataset in the working directory that are listed as complete, by whoever made them. */
export function completeFiles({
  dataset,
  namespace,
  agentCount,
  agentIndex,
}: Assignment): FileRanges {
  const makers =
    namespace === 'shared' ? Array.from({ length: agentCount }, (_, i) => i) : [agentIndex];
  return new FileRanges(
    makers.flatMap((maker) => readManifest('.', maker, dataset.hash).toArray()),
  );
}

/**
 * In a shared dataset, waits until the other agents' files are complete too: a stage opens all of them. How long that
 * may take is for the controller to judge; it sees this agent waiting and the others getting on, or not.
 * @throws Aborted
 */
export async function awaitOtherAgents(parts: RunnerParts, assignment: Assignment): Promise<void> {
  const { clock, signal, emit } = parts;
  const { use, fileSizeBytes, fileSizes } = assignment.dataset;
  const eachBytes = Math.round(meanSize(fileSizes ?? fileSizeBytes));
  const filesTotal = use.to - use.from;
  for (let look = 0; ; look++) {
    const complete = completeFiles(assignment);
    if (complete.covers(use.from, use.to)) return;
    if (look % looksPerReport === 0) {
      const filesDone = complete.size;
      const bytesDone = filesDone * eachBytes;
      const bytesTotal = filesTotal * eachBytes;
      emit({ kind: 'progress', phase: 'wait', filesDone, filesTotal, bytesDone, bytesTotal });
    }
    const outcome = await waitUntil(clock, clock.nowNs() + lookEveryNs, signal);
    if (outcome === 'cancelled') throw new Aborted();
  }
}
