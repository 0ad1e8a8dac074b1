/** Reading another agent's private dataset (`shift`): whose it is, and the proof that what is seen there is really it. */
import { codeOf } from '../../shared/kernel/errors.js';
import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import { waitUntil } from '../core/wait-until.js';
import { awaitNeighbour } from './complete-files.js';
import { readHere, writeHere } from './dataset-files.js';
import { hereName, neighbourFolder } from './dataset-layout.js';
import { Aborted, RunnerFailure } from './failure.js';
import { removeFile } from './remove-file.js';
import type { RunnerParts } from './runner-parts.js';

/** From when this agent is done: the others were told to begin when it was, and say where they are before all else. */
const patienceMs = 30_000;
const lookEveryNs = 250_000_000n;

/** The number of the agent whose data the stage goes to. */
export function dataOf(
  { agentIndex, agentCount }: Assignment,
  { shift = 0 }: StageAssignment,
): number {
  return (agentIndex + shift) % agentCount;
}

/** Neighbours whose private files some stage reads. */
function neighboursOf(assignment: Assignment): readonly number[] {
  if (assignment.namespace === 'shared') return [];
  const all = assignment.stages.map((stage) => dataOf(assignment, stage));
  return [...new Set(all)].filter((agent) => agent !== assignment.agentIndex);
}

const unwritable: ReadonlySet<string | undefined> = new Set(['EROFS', 'EACCES', 'EPERM']);

/**
 * Leaves word in the working directory which run it belongs to now; or takes away what an earlier one left. Where nothing
 * can be written that stays: nobody takes another run's word.
 */
export function markHere(assignment: Assignment): void {
  const isNeeded = assignment.stages.some(({ shift }) => shift !== undefined);
  try {
    removeFile(hereName);
  } catch (error) {
    if (isNeeded || !unwritable.has(codeOf(error))) throw error;
  }
  if (isNeeded) writeHere(assignment.runId);
}

/**
 * Until the files of all neighbours that stages read are there, complete or (`made`) to be written by them.
 * @throws RunnerFailure when a neighbour's word does not show: then this is not the file system that it works on; Aborted
 */
export async function awaitNeighbours(
  parts: RunnerParts,
  assignment: Assignment,
  state: 'complete' | 'made',
): Promise<void> {
  for (const agent of neighboursOf(assignment)) {
    await demandShared(parts, assignment, agent);
    await awaitNeighbour(parts, assignment, agent, state);
  }
}

async function demandShared(
  { clock, signal }: RunnerParts,
  { runId, target, stages }: Assignment,
  agent: number,
): Promise<void> {
  const lastNs = clock.nowNs() + BigInt(patienceMs) * 1_000_000n;
  while (readHere(neighbourFolder(agent)) !== runId) {
    const nowNs = clock.nowNs();
    if (nowNs >= lastNs) {
      const { name = '' } = stages.find(({ shift }) => shift !== undefined) ?? {};
      throw new RunnerFailure(
        'target',
        `stage "${name}" reads what agent ${String(agent)} makes, but that does not show in ${target}: shift needs one file system that all agents have mounted there`,
      );
    }
    if ((await waitUntil(clock, nowNs + lookEveryNs, signal)) === 'cancelled') throw new Aborted();
  }
}
