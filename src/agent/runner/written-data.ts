import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import { awaitOtherAgents, awaitOtherWriters, completeFiles } from './complete-files.js';
import { RunnerFailure } from './failure.js';
import { FileRanges } from './file-ranges.js';
import { workOnFiles } from './files-work.js';
import { awaitNeighbours } from './neighbour.js';
import { comparesNothing, filesThreads, reads, saveManifest } from './prepare-dataset.js';
import type { RunnerParts } from './runner-parts.js';

/**
 * With `prepare: none` the files are written by stages. Before the first stage that reads, this makes sure that they
 * were: every agent looks at the files that are its own to make, once all agents are past the stages before, and lists
 * them as complete. So a kept dataset that stages wrote serves the next run like any other.
 */
export class WrittenData {
  readonly #parts: RunnerParts;
  readonly #assignment: Assignment;
  #isComplete: boolean;

  constructor(parts: RunnerParts, assignment: Assignment) {
    this.#parts = parts;
    this.#assignment = assignment;
    const { prepare, skipPrepare, given } = assignment.dataset;
    this.#isComplete = prepare !== 'none' || skipPrepare || given !== undefined;
  }

  /** @throws RunnerFailure when the stage would read what nobody has written; Aborted */
  async before(stage: StageAssignment): Promise<void> {
    if (this.#isComplete || !reads(stage)) return;
    this.#isComplete = true;
    const { dataset } = this.#assignment;
    if (completeFiles(this.#assignment).covers(dataset.use.from, dataset.use.to)) return;
    const own = new FileRanges([[dataset.own.from, dataset.own.to]]);
    saveManifest(this.#assignment, { empty: own, written: true });
    await awaitOtherWriters(this.#parts, this.#assignment);
    await this.#look(stage);
    saveManifest(this.#assignment, { complete: own, written: true });
    await awaitOtherAgents(this.#parts, this.#assignment, 'complete');
    await awaitNeighbours(this.#parts, this.#assignment, 'complete');
  }

  async #look(stage: StageAssignment): Promise<void> {
    const { dataset } = this.#assignment;
    try {
      await workOnFiles({
        ...this.#parts,
        kind: 'check',
        dataset,
        owner: 0,
        refusesHoles: comparesNothing(stage),
        listed: new FileRanges(),
        threads: filesThreads(this.#assignment),
        progress: (progress) => {
          this.#parts.emit({ kind: 'progress', phase: 'stage', ...progress });
        },
        done: () => undefined,
      });
    } catch (error) {
      if (!(error instanceof RunnerFailure)) throw error;
      throw new RunnerFailure(
        'dataset',
        `stage "${stage.name}" would read what no stage has written (${error.message}): with prepare none the stages before have to write all of it`,
      );
    }
  }
}
