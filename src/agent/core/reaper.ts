import { earliest } from './alarm.js';

/** How long a workload process that has nothing more to do may take to leave by itself. */
const quitMs = 1_000;
/** A process that lives this long after SIGKILL is stuck in the kernel. */
export const stuckAfterKillMs = 2_000;

type Retired =
  { readonly phase: 'asked' | 'killed'; readonly dueMs: number } | { readonly phase: 'stuck' };

/** Workload processes that no run cares for any more, until each is really gone. */
export class Reaper {
  readonly #retired = new Map<number, Retired>();

  /** It was told to quit. */
  asked(runner: number, nowMs: number): void {
    this.#retired.set(runner, { phase: 'asked', dueMs: nowMs + quitMs });
  }

  /** It was sent SIGKILL. */
  killed(runner: number, nowMs: number): void {
    this.#retired.set(runner, { phase: 'killed', dueMs: nowMs + stuckAfterKillMs });
  }

  /** It was sent SIGKILL long ago and is still there. */
  gaveUp(runner: number): void {
    this.#retired.set(runner, { phase: 'stuck' });
  }

  exited(runner: number): void {
    this.#retired.delete(runner);
  }

  get empty(): boolean {
    return this.#retired.size === 0;
  }

  /** One of them outlived SIGKILL. */
  get stuck(): boolean {
    return [...this.#retired.values()].some(({ phase }) => phase === 'stuck');
  }

  wakeAt(): number | undefined {
    return earliest(
      ...[...this.#retired.values()].map((one) => (one.phase === 'stuck' ? undefined : one.dueMs)),
    );
  }

  /** The processes to kill now. */
  tick(nowMs: number): readonly number[] {
    const kill: number[] = [];
    for (const [runner, one] of this.#retired) {
      if (one.phase === 'stuck' || nowMs < one.dueMs) continue;
      if (one.phase === 'killed') this.#retired.set(runner, { phase: 'stuck' });
      else {
        kill.push(runner);
        this.killed(runner, nowMs);
      }
    }
    return kill;
  }
}
