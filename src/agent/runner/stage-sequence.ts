import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import type { ParsedTarget } from '../engines/registry.js';
import { waitUntil } from '../core/wait-until.js';
import { filePath } from './dataset-layout.js';
import { dropCache } from './drop-cache.js';
import type { DroppedCache } from './drop-cache.js';
import { Aborted, RunnerFailure } from './failure.js';
import { FioLoad } from './fio/fio-load.js';
import { setUpFio } from './fio/set-up-fio.js';
import type { RunnerCommand } from './protocol.js';
import type { RunnerParts } from './runner-parts.js';
import { StageLoad } from './stage-load.js';
import type { LeftOut, StageEnd } from './stage-load.js';
import { noChurn, setUpWorkers } from './stage-workers.js';
import type { Churn } from './stage-workers.js';
import { KeptHistory } from './verify/kept-history.js';
import { WrittenData } from './written-data.js';

type Arm = Extract<RunnerCommand, { kind: 'arm' }>;
type Go = Extract<RunnerCommand, { kind: 'go' }>;

/**
 * How long after T0 this thread goes on. The workers start by themselves, and would have to share the cores with it just
 * then: with eight agents on two cores their first operations came up to 20 ms apart.
 */
const outOfTheWayNs = 25_000_000n;

interface Armed {
  readonly command: Arm;
  readonly cancel: AbortController;
  hasGo: boolean;
}

interface Waiting {
  readonly stage: number;
  /** This thread itself begins the load, which is fio's, at T0. */
  readonly isFio: boolean;
  /** The newest `arm`, while its load has not begun. */
  armed: Armed | undefined;
  readonly begin: (start: Start) => void;
  readonly leave: () => void;
}

interface Start {
  readonly epoch: number;
  /** ns after the clock base. */
  readonly atNs: number;
}

/** A stage that is set up: its load begins, or it is left out. */
interface SetUp {
  begin(start: Start): Load;
  /** Until what was set up is free again. @returns what lanes may still remove */
  leave(): Promise<Churn>;
}

/** What makes a stage's load, from T0 on. */
interface Load {
  complete(): Promise<StageEnd>;
  readonly figures: { operations: number; inFlight: number; oldestInFlightNs: number };
}

/** The run's stages one after the other: set up, ready, armed, go, load, result. */
export class StageSequence {
  readonly #parts: RunnerParts;
  readonly #assignment: Assignment;
  readonly #engine: ParsedTarget['engine'];
  #waiting: Waiting | undefined;
  #load: Load | undefined;
  /** Stages before this one are left out. */
  #from = 0;
  /** Counts openings of the gate, so that workers tell a new instant from an old one. */
  #gates = 0;

  constructor(parts: RunnerParts, assignment: Assignment, engine: ParsedTarget['engine']) {
    this.#parts = parts;
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
    const start = await this.#awaitStart(stage);
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
    if (this.#load !== undefined || this.#waiting?.armed?.hasGo === true) return false;
    this.#from = Math.max(this.#from, stage);
    if (this.#waiting !== undefined && this.#waiting.stage < this.#from) this.#waiting.leave();
    return true;
  }

  handle(command: Arm | Go): void {
    const waiting = this.#waiting;
    const isLater = waiting !== undefined && command.stage > waiting.stage;
    if (isLater && command.kind === 'arm' && this.skipTo(command.stage)) return;
    if (waiting?.stage !== command.stage) {
      this.#log(
        `workload process ignores ${command.kind.toUpperCase()} for stage ${String(command.stage)}`,
      );
    } else if (command.kind === 'arm') this.#arm(waiting, command);
    else this.#go(waiting, command);
  }

  get figures(): { operations: number; inFlight: number; oldestInFlightNs: number } {
    return this.#load?.figures ?? { operations: 0, inFlight: 0, oldestInFlightNs: 0 };
  }

  async #dropCache(stage: StageAssignment): Promise<DroppedCache | undefined> {
    if (!stage.dropCache || !this.#engine.needsDataset) return undefined;
    const { directories, use } = this.#assignment.dataset;
    const given = this.#parts.given?.map(({ realPath }) => realPath);
    const made = (): string[] =>
      Array.from({ length: use.to - use.from }, (_, i) => filePath(use.from + i, directories));
    const files = given ?? made();
    return dropCache(files, this.#parts.signal, this.#parts.hostSwitch);
  }

  /** READY, until a start was armed, released and its instant has come; undefined: the stage is left out. */
  #awaitStart(stage: StageAssignment): Promise<Start | undefined> {
    const { signal, control, emit } = this.#parts;
    if (stage.index < this.#from) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        const hasBegun = control.stop();
        const armed = this.#waiting?.armed;
        armed?.cancel.abort();
        // The workers have begun without this thread: what they have done is told.
        if (hasBegun && armed !== undefined) {
          end(this.#startOf(armed.command));
          return;
        }
        this.#waiting = undefined;
        if (armed !== undefined) {
          emit({ kind: 'log', level: 'debug', line: 'Coordinated start cancelled by ABORT' });
        }
        reject(new Aborted());
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const end = (start: Start | undefined): void => {
        signal.removeEventListener('abort', onAbort);
        this.#waiting = undefined;
        resolve(start);
      };
      const leave = (): void => {
        this.#waiting?.armed?.cancel.abort();
        end(undefined);
      };
      const isFio = stage.fio !== undefined;
      this.#waiting = { stage: stage.index, isFio, armed: undefined, begin: end, leave };
      emit({ kind: 'ready', stage: stage.index });
    });
  }

  #arm(waiting: Waiting, command: Arm): void {
    const { control, clock, emit } = this.#parts;
    const { stage, epoch, atNs } = command;
    if (waiting.armed !== undefined) {
      if (epoch <= waiting.armed.command.epoch || !control.closeGate()) return;
      waiting.armed.cancel.abort();
      waiting.armed = undefined;
    }
    const lateMs = Number(clock.nowNs() - atNs) / 1e6;
    if (lateMs >= 0) {
      const reason = `the instant had passed ${lateMs.toFixed(1)} ms before the start was armed`;
      emit({ kind: 'missed', stage, epoch, reason });
      return;
    }
    const armed: Armed = { command, cancel: new AbortController(), hasGo: false };
    waiting.armed = armed;
    emit({ kind: 'armed', stage, epoch });
    const beginNs = waiting.isFio ? atNs : atNs + outOfTheWayNs;
    void waitUntil(clock, beginNs, armed.cancel.signal).then((outcome) => {
      if (outcome === 'cancelled') return;
      waiting.armed = undefined;
      if (armed.hasGo) waiting.begin(this.#startOf(command));
      else emit({ kind: 'missed', stage, epoch, reason: 'no GO came before the instant' });
    });
  }

  /** The workers start by themselves at the instant, whatever this thread is doing then. */
  #go(waiting: Waiting, { epoch }: Go): void {
    const { armed } = waiting;
    const isInTime =
      armed !== undefined &&
      armed.command.epoch === epoch &&
      this.#parts.clock.nowNs() < armed.command.atNs;
    if (!isInTime) {
      this.#log(
        `workload process ignores GO for epoch ${String(epoch)}: not armed for it, or too late`,
      );
      return;
    }
    armed.hasGo = true;
    const { control, base } = this.#parts;
    control.openGate(++this.#gates, base.toRelative(armed.command.atNs));
  }

  #startOf({ epoch, atNs }: Arm): Start {
    return { epoch, atNs: this.#parts.base.toRelative(atNs) };
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

  #log(line: string): void {
    this.#parts.emit({ kind: 'log', level: 'warn', line });
  }
}
