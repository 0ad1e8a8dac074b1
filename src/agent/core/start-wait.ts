/**
 * The two-phase start of one stage after another: which stage the agent is ready for, and the newest epoch it was
 * asked to start in. Whatever speaks of an older epoch or another stage is out of date.
 */
export class StartWait {
  #stage: number | undefined;
  #epoch = 0;
  #atNs = 0n;

  /** The runner is ready for `stage`; false: that was known, or the stage lies behind. */
  ready(stage: number): boolean {
    if (this.#stage !== undefined && stage <= this.#stage) return false;
    this.#stage = stage;
    this.#epoch = 0;
    return true;
  }

  start(stage: number, epoch: number, atNs: bigint): 'arm' | 'outdated' | 'otherStage' {
    if (stage !== this.#stage) return 'otherStage';
    if (epoch <= this.#epoch) return 'outdated';
    this.#epoch = epoch;
    this.#atNs = atNs;
    return 'arm';
  }

  isCurrent(stage: number, epoch: number): boolean {
    return stage === this.#stage && epoch === this.#epoch;
  }

  get stage(): number | undefined {
    return this.#stage;
  }

  /** The instant of the newest epoch, the agent's monotonic clock. */
  get atNs(): bigint {
    return this.#atNs;
  }
}
