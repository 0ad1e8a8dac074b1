import type { Clock } from '../../shared/kernel/clock.js';
import { writes } from '../../shared/model/assignment.js';
import type { Assignment } from '../../shared/model/assignment.js';
import { formatSize } from '../../shared/model/units.js';
import { noConsent } from '../core/given-guard.js';
import type { Consent } from '../core/given-guard.js';
import { parseTarget } from '../engines/registry.js';
import type { ParsedTarget } from '../engines/registry.js';
import { checkStages } from './check-stages.js';
import type { ClockBase } from './clock-base.js';
import { keyOf } from './choosing/hash.js';
import { kernelSwitch } from './drop-cache.js';
import type { DatasetLease } from './dataset-lease.js';
import { Aborted, RunnerFailure } from './failure.js';
import { holdGiven } from './given-files.js';
import { preflight } from './preflight.js';
import { prepareDataset } from './prepare-dataset.js';
import type { LoadFigures, RunnerCommand, RunnerEvent } from './protocol.js';
import { removeDataset } from './remove-dataset.js';
import type { RunnerParts } from './runner-parts.js';
import { RunControl } from './shared-memory.js';
import { StageSequence } from './stage-sequence.js';
import { givenFacts, targetFacts } from './target-facts.js';
import type { TargetFacts } from './target-facts.js';
import { datasetFolder, resolveTarget } from './target.js';
import { WriteHistory } from './verify/write-history.js';
import { WorkerPool } from './worker-pool.js';

type Prepare = Extract<RunnerCommand, { kind: 'prepare' }>;

export interface SessionParts {
  readonly clock: Clock;
  readonly base: ClockBase;
  readonly emit: (event: RunnerEvent) => void;
  /** Nice value of the worker threads. */
  readonly workerPriority: number;
  /** What nobody foresaw, from any thread. */
  readonly onBug: (error: unknown) => void;
}

const idle = { operations: 0, inFlight: 0, oldestInFlightNs: 0 };

/** One run in this process: takes the commands of protocol.ts and carries them out one after the other. */
export class RunnerSession {
  readonly #parts: SessionParts;
  readonly #abort = new AbortController();
  readonly #graceOver: Promise<never>;
  #endGrace: (reason: Aborted) => void = () => undefined;
  #run:
    | { readonly assignment: Assignment; readonly folder: string; readonly parts: RunnerParts }
    | undefined;
  #stages: StageSequence | undefined;
  #lease: DatasetLease | undefined;
  /** Work that an abort has to wait for. */
  #isBusy = false;
  /** To be done when the stages have been left. */
  #cleansNext = false;
  #isOver = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    this.#graceOver = new Promise((_, reject) => (this.#endGrace = reject));
    this.#graceOver.catch(() => undefined);
  }

  handle(command: Exclude<RunnerCommand, { kind: 'lease' | 'quit' }>): void {
    switch (command.kind) {
      case 'prepare':
        if (this.#run !== undefined) this.#ignore(command.kind);
        else this.#prepare(command);
        return;
      case 'arm':
      case 'go':
        if (this.#stages === undefined || this.#isOver) this.#ignore(command.kind);
        else this.#stages.handle(command);
        return;
      case 'share':
        this.#run?.parts.control.share.set([command.index, command.count]);
        return;
      case 'abort':
        if (!this.#abort.signal.aborted && !this.#isOver) this.#abortWith(command);
        return;
      case 'cleanup':
        if (this.#run === undefined || this.#isOver) this.#ignore(command.kind);
        else if (!this.#isBusy) this.#cleanUp();
        else if (this.#stages?.skipTo(Infinity)) this.#cleansNext = true;
        else this.#ignore(command.kind);
        return;
      default:
        command satisfies never;
    }
  }

  /** The dataset is free for another run. */
  leave(): void {
    this.#lease?.release();
    this.#lease = undefined;
  }

  /** For the report once a second. */
  figures(): LoadFigures {
    return this.#stages?.figures() ?? idle;
  }

  #prepare({ assignment, roots, consent = noConsent }: Prepare): void {
    const limits = { roots, consent };
    this.#work(async () => {
      if (assignment.mode === 'check') {
        const parts = this.#runnerParts(assignment, undefined, consent);
        const report = await preflight(parts, assignment, limits);
        this.#parts.emit({ kind: 'checked', report: JSON.stringify(report) });
        return;
      }
      const target = parseTarget(assignment.target);
      if (typeof target === 'string') throw new RunnerFailure('target', target);
      await checkStages(assignment, target.engine);
      const { given } = assignment.dataset;
      const held = given && holdGiven(given, assignment, limits);
      const parts = this.#runnerParts(assignment, held, consent);
      const real =
        target.engine.needsDataset && given === undefined
          ? resolveTarget(target.location, roots)
          : undefined;
      const folder = real === undefined ? '' : datasetFolder(real, assignment);
      this.#run = { assignment, folder, parts };
      if (assignment.mode === 'cleanup') {
        await this.#remove(assignment, folder, parts);
        return;
      }
      if (real !== undefined) this.#sayTarget(targetFacts(real));
      if (held !== undefined) this.#sayTarget(givenFacts(held));
      if (given !== undefined) this.#describeGiven(parts, assignment);
      if (folder !== '') this.#lease = await prepareDataset(parts, assignment, folder);
      if (assignment.mode === 'prepare') {
        this.leave();
        this.#parts.emit({ kind: 'prepared' });
      } else await this.#runStages(withSizes(assignment, parts.given), target, parts);
      if (this.#cleansNext) await this.#remove(assignment, folder, parts);
    });
  }

  #sayTarget(facts: TargetFacts): void {
    this.#parts.emit({ kind: 'target', facts: JSON.stringify(facts) });
  }

  /** What is there already needs no preparing, and nobody has to wait for anybody. */
  #describeGiven({ given = [], emit }: RunnerParts, { stages }: Assignment): void {
    emit({ kind: 'marked' });
    const does = writes(stages) ? 'overwrites' : 'reads';
    for (const { realPath, sizeBytes } of given) {
      emit({ kind: 'log', level: 'info', line: `${does} ${realPath} (${formatSize(sizeBytes)})` });
    }
  }

  async #runStages(
    assignment: Assignment,
    target: ParsedTarget,
    parts: RunnerParts,
  ): Promise<void> {
    this.#stages = new StageSequence(parts, assignment, target.engine);
    await this.#stages.run();
    this.#stages = undefined;
  }

  #cleanUp(): void {
    const run = this.#run;
    if (run === undefined) return;
    this.#work(() => this.#remove(run.assignment, run.folder, run.parts));
  }

  async #remove(assignment: Assignment, folder: string, parts: RunnerParts): Promise<void> {
    const removed =
      folder === '' ? { files: 0, warnings: [] } : await removeDataset(parts, assignment, folder);
    this.leave();
    this.#parts.emit({ kind: 'cleaned', ...removed });
  }

  #runnerParts(
    assignment: Assignment,
    given: RunnerParts['given'],
    { dropCaches }: Consent,
  ): RunnerParts {
    const salt = keyOf(assignment.runId);
    const control = new RunControl();
    control.share.set([assignment.agentIndex, assignment.agentCount]);
    return {
      clock: this.#parts.clock,
      base: this.#parts.base,
      pool: new WorkerPool(this.#parts.onBug, this.#parts.workerPriority, this.#graceOver),
      control,
      emit: this.#parts.emit,
      signal: this.#abort.signal,
      salt,
      given,
      hostSwitch: dropCaches ? kernelSwitch : undefined,
      writes: WriteHistory.of(assignment, salt),
    };
  }

  /** Does one thing at a time; its end, its failure or its abort is what control hears. */
  #work(task: () => Promise<void>): void {
    this.#isBusy = true;
    task()
      .then(() => {
        if (this.#abort.signal.aborted) throw new Aborted();
        this.#isBusy = false;
      })
      .catch((error: unknown) => {
        this.#isOver = true;
        if (error instanceof Aborted) this.#sayAborted();
        else if (error instanceof RunnerFailure) {
          this.#parts.emit({ kind: 'failed', code: error.code, message: error.message });
        } else this.#parts.onBug(error);
      });
  }

  #abortWith({ reason, graceMs }: Extract<RunnerCommand, { kind: 'abort' }>): void {
    this.#abort.abort(reason);
    if (this.#isBusy) {
      this.#parts.clock.after(graceMs, () => {
        this.#endGrace(new Aborted());
      });
      return;
    }
    this.#isOver = true;
    this.#sayAborted();
  }

  #sayAborted(): void {
    this.#parts.emit({ kind: 'aborted', reason: String(this.#abort.signal.reason) });
  }

  #ignore(kind: string): void {
    this.#parts.emit({
      kind: 'log',
      level: 'warn',
      line: `workload process ignores ${kind.toUpperCase()}: nothing to do it with now`,
    });
  }
}

function withSizes(assignment: Assignment, given: RunnerParts['given']): Assignment {
  if (given === undefined) return assignment;
  const listedSizes = given.map(({ sizeBytes }) => sizeBytes);
  return { ...assignment, dataset: { ...assignment.dataset, listedSizes } };
}
