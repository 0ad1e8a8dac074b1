import type { ControlParts } from '../../../src/agent/shell/control-loop.js';
import type { RunnerExit } from '../../../src/agent/core/session-io.js';
import type { RunnerCommand, RunnerEvent } from '../../../src/agent/runner/protocol.js';
import type { Assignment } from '../../../src/shared/model/assignment.js';
import { reportDelayMs } from '../../../src/agent/runner/staggered-reports.js';
import type { Cancel, Clock } from '../../../src/shared/kernel/clock.js';
import { simulatedInterval, SimulatedTotals } from './load.js';
import type { SimulatedLoad } from './load.js';

const reportEveryMs = 1000;
const secondNs = 1_000_000_000n;

type Runners = ControlParts['runners'];

interface Hooks {
  readonly clock: Clock;
  readonly load: SimulatedLoad;
  readonly event: (runner: number, event: RunnerEvent) => void;
  readonly exited: (runner: number, exit: RunnerExit) => void;
  /** The load of a stage has begun. */
  readonly began: () => void;
}

/** Stands in for the workload processes of one agent: it says what they would say, when they would say it. */
export class SimulatedRunners implements Runners {
  readonly #hooks: Hooks;
  readonly #living = new Map<number, SimulatedRunner>();

  constructor(hooks: Hooks) {
    this.#hooks = hooks;
  }

  fork(runner: number): void {
    const { event } = this.#hooks;
    const say = (one: RunnerEvent): void => {
      event(runner, one);
    };
    this.#living.set(runner, new SimulatedRunner(this.#hooks, say));
  }

  send(runner: number, command: RunnerCommand): void {
    if (command.kind === 'quit') this.#end(runner, { code: 0, signal: null });
    else this.#living.get(runner)?.take(command);
  }

  kill(runner: number): void {
    this.#end(runner, { code: null, signal: 'SIGKILL' });
  }

  #end(runner: number, exit: RunnerExit): void {
    if (!this.#living.has(runner)) return;
    this.#living.get(runner)?.stop();
    this.#living.delete(runner);
    this.#hooks.exited(runner, exit);
  }
}

class SimulatedRunner {
  readonly #hooks: Hooks;
  readonly #say: (event: RunnerEvent) => void;
  #assignment: Assignment | undefined;
  #atNs = 0n;
  #totals = new SimulatedTotals();
  #seconds = 0;
  #cancelReport: Cancel;
  #cancelLoad: Cancel = () => undefined;

  constructor(hooks: Hooks, say: (event: RunnerEvent) => void) {
    this.#hooks = hooks;
    this.#say = say;
    this.#cancelReport = hooks.clock.after(reportEveryMs, () => {
      this.#report();
    });
  }

  take(command: Exclude<RunnerCommand, { kind: 'quit' }>): void {
    switch (command.kind) {
      case 'prepare':
        this.#assignment = command.assignment;
        this.#say({ kind: 'ready', stage: 0 });
        return;
      case 'arm': {
        const { stage, epoch, atNs } = command;
        this.#atNs = atNs;
        this.#say({ kind: 'armed', stage, epoch });
        return;
      }
      case 'go': {
        const { stage, epoch } = command;
        this.#at(this.#atNs, () => {
          this.#begin(stage, epoch);
        });
        return;
      }
      case 'abort':
        this.stop();
        this.#say({ kind: 'aborted', reason: command.reason });
        return;
      case 'cleanup':
        this.#say({ kind: 'cleaned', files: 0, warnings: [] });
        return;
      case 'share':
      case 'lease':
        return;
      default:
        command satisfies never;
    }
  }

  stop(): void {
    this.#cancelReport();
    this.#cancelLoad();
  }

  #begin(stage: number, epoch: number): void {
    this.#totals = new SimulatedTotals();
    this.#seconds = 0;
    this.#hooks.began();
    const firstOperationNs = this.#hooks.clock.nowNs();
    this.#say({ kind: 'started', stage, epoch, atNs: this.#atNs, firstOperationNs });
    this.#nextSecond(stage);
  }

  #nextSecond(stage: number): void {
    const delayNs = BigInt(Math.round(this.#delayMs() * 1e6));
    this.#at(this.#atNs + BigInt(this.#seconds + 1) * secondNs + delayNs, () => {
      const { load } = this.#hooks;
      const second = load.second(this.#assignment?.agentIndex ?? 0, this.#seconds);
      this.#totals.add(second);
      const operations = [this.#totals.stats(second.service)];
      const interval = simulatedInterval(stage, this.#seconds, operations);
      this.#say({ kind: 'interval', ...interval });
      this.#seconds += 1;
      if (this.#seconds * 1000 >= (this.#assignment?.stages[stage]?.durationMs ?? 0)) {
        this.#complete(stage);
      } else this.#nextSecond(stage);
    });
  }

  #delayMs(): number {
    return this.#assignment === undefined ? 0 : reportDelayMs(this.#assignment);
  }

  #complete(stage: number): void {
    const endNs = this.#atNs + BigInt(this.#seconds) * secondNs;
    this.#say({ kind: 'draining', stage });
    this.#say({
      kind: 'stageResult',
      stage,
      endedBy: 'duration',
      atNs: endNs,
      firstOperationNs: this.#atNs,
      lastOperationNs: endNs,
      intervals: this.#seconds,
      abandoned: 0,
      operations: [this.#totals.stats()],
      warmup: [],
      mechanism: 'simulated',
      warnings: [],
      endedNs: endNs,
      syncs: new Uint8Array(),
    });
    if (this.#assignment?.stages[stage + 1]) this.#say({ kind: 'ready', stage: stage + 1 });
  }

  #report(): void {
    const { operations } = this.#totals;
    const figures = { operations, inFlight: 8, oldestInFlightNs: 90_000 };
    this.#say({ kind: 'report', rssBytes: 80 * 2 ** 20, ...figures });
    this.#cancelReport = this.#hooks.clock.after(reportEveryMs, () => {
      this.#report();
    });
  }

  #at(ns: bigint, act: () => void): void {
    const { clock } = this.#hooks;
    this.#cancelLoad();
    this.#cancelLoad = clock.after(Number(ns - clock.nowNs()) / 1e6, act);
  }
}
