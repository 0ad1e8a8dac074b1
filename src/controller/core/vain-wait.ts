import type { AgentSession } from './agent-session.js';

/** What an agent wrote down before it was lost is seen by then: NFS keeps attributes for up to a minute (acregmax, acdirmax; nfs(5)). */
const patienceMs = 90_000;

/** Agents that wait for the files of one that is lost for good: nobody will finish them. */
export class VainWait {
  #sinceMs: number | undefined;

  /**
   * @param notReady those that a stage waits for
   * @returns the lost ones, once all of these have waited for long enough
   */
  look(
    notReady: readonly AgentSession[],
    all: readonly AgentSession[],
    nowMs: number,
  ): readonly AgentSession[] {
    const lost = all.filter(({ state }) => state === 'FAILED' || state === 'ABORTED');
    const areWaiting = notReady.every(({ lookout }) => lookout.work?.isWaiting === true);
    if (lost.length === 0 || notReady.length === 0 || !areWaiting) {
      this.#sinceMs = undefined;
      return [];
    }
    this.#sinceMs ??= nowMs;
    return nowMs >= this.#sinceMs + patienceMs ? lost : [];
  }

  wakeAt(): number | undefined {
    return this.#sinceMs === undefined ? undefined : this.#sinceMs + patienceMs;
  }

  shift(ms: number): void {
    if (this.#sinceMs !== undefined) this.#sinceMs += ms;
  }
}
