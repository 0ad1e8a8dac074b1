import type { Assignment } from '../../shared/model/assignment.js';
import { stageName } from '../../shared/model/stage-name.js';
import { waitUntil } from '../core/wait-until.js';
import { Aborted } from './failure.js';
import type { RunnerCommand } from './protocol.js';
import type { RunnerParts } from './runner-parts.js';

export type Arm = Extract<RunnerCommand, { kind: 'arm' }>;
export type Go = Extract<RunnerCommand, { kind: 'go' }>;

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

/** A load that has begun. */
export interface Start {
  readonly epoch: number;
  /** ns after the clock base. */
  readonly atNs: number;
}

/** The two-phase start of one stage after another: ready, armed, go. */
export class CoordinatedStart {
  readonly #parts: RunnerParts;
  readonly #stages: Assignment['stages'];
  #waiting: Waiting | undefined;
  /** Counts openings of the gate, so that workers tell a new instant from an old one. */
  #gates = 0;

  constructor(parts: RunnerParts, stages: Assignment['stages']) {
    this.#parts = parts;
    this.#stages = stages;
  }

  /** The stage that waits. */
  get stage(): number | undefined {
    return this.#waiting?.stage;
  }

  /** It will begin, or has: it cannot be left out any more. */
  get hasGo(): boolean {
    return this.#waiting?.armed?.hasGo === true;
  }

  /** READY, until a start was armed, released and its instant has come; undefined: the stage is left out. */
  await(stage: number, isFio: boolean): Promise<Start | undefined> {
    const { signal, control, emit } = this.#parts;
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
      this.#waiting = { stage, isFio, armed: undefined, begin: end, leave };
      emit({ kind: 'ready', stage });
    });
  }

  /** The stage that waits is left out. */
  leave(): void {
    this.#waiting?.leave();
  }

  handle(command: Arm | Go): void {
    const waiting = this.#waiting;
    if (waiting?.stage !== command.stage) {
      this.#log(
        `workload process ignores ${command.kind.toUpperCase()} for stage ${stageName(this.#stages, command.stage)}`,
      );
    } else if (command.kind === 'arm') this.#arm(waiting, command);
    else this.#go(waiting, command);
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

  #log(line: string): void {
    this.#parts.emit({ kind: 'log', level: 'warn', line });
  }
}
