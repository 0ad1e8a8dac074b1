import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import type { ParsedTarget } from '../engines/registry.js';
import { CoordinatedStart } from './coordinated-start.js';
import type { Arm, Go, Start } from './coordinated-start.js';
import { filePath, homeOf } from './dataset-layout.js';
import { dropCache } from './drop-cache.js';
import type { DroppedCache } from './drop-cache.js';
import { Aborted, RunnerFailure } from './failure.js';
import { FioLoad } from './fio/fio-load.js';
import { setUpFio } from './fio/set-up-fio.js';
import { dataOf } from './neighbour.js';
import type { LoadFigures } from './protocol.js';
import type { RunnerParts } from './runner-parts.js';
import { StageLoad } from './stage-load.js';
import type { LeftOut, StageEnd } from './stage-load.js';
import { noChurn, setUpWorkers } from './stage-workers.js';
import type { Churn } from './stage-workers.js';
import { KeptHistory } from './verify/kept-history.js';
import { WrittenData } from './written-data.js';

/** A stage that is set up: its load begins, or it is left out. */
interface SetUp {
  begin(start: Start): Load;
  /** Until what was set up is free again. @returns what lanes may still remove */
  leave(): Promise<Churn>;
}

/** What makes a stage's load, from T0 on. */
interface Load {
  complete(): Promise<StageEnd>;
  figures(): LoadFigures;
}

/** The run's stages one after the other: set up, ready, armed, go, load, result. */
export class StageSequence {
  readonly #parts: RunnerParts;
  readonly #assignment: Assignment;
  readonly #engine: ParsedTarget['engine'];
  readonly #start: CoordinatedStart;
  #load: Load | undefined;
  /** Stages before this one are left out. */
  #from = 0;

  constructor(parts: RunnerParts, assignment: Assignment, engine: ParsedTarget['engine']) {
    this.#parts = parts;
    this.#start = new CoordinatedStart(parts, assignment.stages);
    this.#assignment = assignment;
    this.#engine = engine;
  }

  /** @throws RunnerFailure; Aborted after the result of a stage that was under way */
  async run(): Promise<void> {
    const { emit } = this.#parts;
    let churn = noChurn;
    const data = new WrittenData(this.#parts, this.#assignment);
    const history = new KeptHistory(this.#parts, this.#assignment);
    await history.load();
    for (const stage of this.#assignment.stages) {
      if (stage.index < this.#from) continue;
      if (this.#engine.needsDataset) await data.before(stage);
      const end = await history.during(stage, () => this.#carryOut(stage, churn));
      if (end.result !== undefined) emit({ kind: 'stageResult', ...end.result });
      if (end.failure !== undefined) throw new RunnerFailure('operations', end.failure);
      if (end.churn === undefined) throw new Aborted();
      churn = end.churn;
      this.#load = undefined;
    }
  }

  /** A result is missing when the stage was left out. @throws Aborted */
  async #carryOut(stage: StageAssignment, churn: Churn): Promise<StageEnd | LeftOut> {
    const setUp = await this.#setUp(stage, churn);
    this.#heedAbort();
    const isLeftOut = stage.index < this.#from;
    const isFio = stage.fio !== undefined;
    const start = isLeftOut ? undefined : await this.#start.await(stage.index, isFio);
    if (start === undefined) {
      const left = await setUp.leave();
      this.#heedAbort();
      return { result: undefined, churn: left, failure: undefined };
    }
    this.#load = setUp.begin(start);
    return this.#complete(this.#load);
  }

  /** @throws Aborted */
  #heedAbort(): void {
    if (this.#parts.signal.aborted) throw new Aborted();
  }

  /** Everything that takes time before the start; what it gives begins the load. */
  async #setUp(stage: StageAssignment, churn: Churn): Promise<SetUp> {
    const parts = this.#parts;
    if (stage.fio !== undefined) {
      const fio = await setUpFio(parts, this.#assignment, stage);
      const leave = async (): Promise<Churn> => {
        fio.process.stop();
        await fio.process.ended;
        return churn;
      };
      return { begin: (start) => new FioLoad(fio, churn, start), leave };
    }
    const dropped = await this.#dropCache(stage);
    const workers = await setUpWorkers(parts, this.#assignment, stage, this.#engine, churn);
    return {
      begin: (start) => new StageLoad(parts, this.#assignment, stage, workers, start, dropped),
      leave: async () => {
        parts.control.stop();
        return (await workers.done).churn;
      },
    };
  }

  /** Leaves out the stages before `stage` that have not begun; false: one is under load, or will be. */
  skipTo(stage: number): boolean {
    if (this.#load !== undefined || this.#start.hasGo) return false;
    this.#from = Math.max(this.#from, stage);
    if ((this.#start.stage ?? Infinity) < this.#from) this.#start.leave();
    return true;
  }

  handle(command: Arm | Go): void {
    const { stage } = this.#start;
    const isLater = stage !== undefined && command.stage > stage;
    if (isLater && command.kind === 'arm' && this.skipTo(command.stage)) return;
    this.#start.handle(command);
  }

  figures(): LoadFigures {
    return this.#load?.figures() ?? { operations: 0, inFlight: 0, oldestInFlightNs: 0 };
  }

  async #dropCache(stage: StageAssignment): Promise<DroppedCache | undefined> {
    if (!stage.dropCache || !this.#engine.needsDataset) return undefined;
    const { dataset, agentIndex, namespace } = this.#assignment;
    const { directories, use } = dataset;
    const home = homeOf(dataOf(this.#assignment, stage), agentIndex, namespace === 'shared');
    const given = this.#parts.given?.map(({ realPath }) => realPath);
    const made = (): string[] =>
      Array.from(
        { length: use.to - use.from },
        (_, i) => home + filePath(use.from + i, directories),
      );
    const files = given ?? made();
    return dropCache(files, this.#parts.signal, this.#parts.hostSwitch);
  }

  async #complete(load: Load): Promise<StageEnd> {
    const { signal, control } = this.#parts;
    const stop = (): void => {
      control.stop();
    };
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    try {
      return await load.complete();
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }
}
