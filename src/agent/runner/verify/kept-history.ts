import { reasonOf } from '../../../shared/kernel/errors.js';
import type { Assignment, StageAssignment } from '../../../shared/model/assignment.js';
import type { RunnerParts } from '../runner-parts.js';
import type { LeftOut, StageEnd } from '../stage-load.js';
import { syncFolder } from '../sync-folder.js';
import { forgetHistory } from './forget-history.js';

/** This much of the time that an agent has to deliver a stage's result (`timeouts.drain`) may go into it. */
const shareOfDrain = 1 / 3;

type Parts = Pick<RunnerParts, 'writes' | 'emit' | 'clock' | 'signal'>;

/** Keeps a verified dataset's history of writes with it, and only as long as it is true. */
export class KeptHistory {
  readonly #parts: Parts;
  readonly #assignment: Assignment;

  constructor(parts: Parts, assignment: Assignment) {
    this.#parts = parts;
    this.#assignment = assignment;
  }

  /** What the runs before have left. */
  async load(): Promise<void> {
    const problem = await this.#parts.writes?.load();
    if (problem !== undefined) this.#warn(`what runs before wrote last is not known: ${problem}`);
  }

  /**
   * Around a stage. While it writes there is none, so that a crash leaves nothing that is wrong; nor after a stage that did
   * not come to its end, whose last writes may still be on their way.
   */
  async during(
    stage: StageAssignment,
    carryOut: () => Promise<StageEnd | LeftOut>,
  ): Promise<StageEnd | LeftOut> {
    const writes = stage.mix.some(({ operation }) => operation === 'write');
    if (!this.#assignment.dataset.verify || !writes) return carryOut();
    forgetHistory();
    const end = await carryOut();
    if (end.churn !== undefined && end.failure === undefined) await this.#keep();
    return end;
  }

  /** Without it the run is as good; only later ones know less. */
  async #keep(): Promise<void> {
    const { writes, clock, signal } = this.#parts;
    if (writes?.isKept !== true) return;
    const limit = new AbortController();
    const limitMs = this.#assignment.timeouts.drainMs * shareOfDrain;
    const cancel = clock.after(limitMs, () => {
      limit.abort(
        new Error(
          `forcing the data out took more than ${String(Math.round(limitMs / 1000))} s; with fsync: end the stage itself does that`,
        ),
      );
    });
    const either = AbortSignal.any([signal, limit.signal]);
    try {
      either.throwIfAborted();
      // What was not forced out may be lost without anybody's fault when the host goes down.
      const problem = await syncFolder('.', either);
      if (problem !== undefined) throw new Error(`the data could not be forced out: ${problem}`);
      await writes.keep(either);
    } catch (error) {
      if (!signal.aborted)
        this.#warn(`later runs will not know what was written last: ${reasonOf(error)}`);
    } finally {
      cancel();
    }
  }

  #warn(line: string): void {
    this.#parts.emit({ kind: 'log', level: 'warn', line: `verify: ${line}` });
  }
}
