import type { Interval, StageResult } from '../../shared/model/messages.js';
import { HeldRanges } from './held-ranges.js';

/** What one agent has delivered of one stage. */
export class StageDelivery {
  readonly held = new HeldRanges();
  readonly #collectMs: number;
  #result: StageResult | undefined;
  #arrivedAtMs = 0;

  /** After a result, intervals still on the way (results travel in a faster lane) are waited for that long each. */
  constructor(collectMs: number) {
    this.#collectMs = collectMs;
  }

  get result(): StageResult | undefined {
    return this.#result;
  }

  addInterval(interval: Interval, nowMs: number): 'new' | 'known' | 'overlap' {
    const taken = this.held.add(interval.first, interval.last);
    if (taken === 'new') this.#arrivedAtMs = nowMs;
    return taken;
  }

  /** False: there is one already. */
  addResult(result: StageResult, nowMs: number): boolean {
    if (this.#result) return false;
    this.#result = result;
    this.#arrivedAtMs = nowMs;
    return true;
  }

  /** On a new stream the agent sends again what is missing. */
  resumed(nowMs: number): void {
    this.#arrivedAtMs = nowMs;
  }

  /** We slept: what came meanwhile is not read yet. */
  shift(ms: number): void {
    this.#arrivedAtMs += ms;
  }

  get missingIntervals(): number {
    return this.#result ? this.held.missing(this.#result.intervals) : 0;
  }

  /** The totals are here, and the time line is whole or no more of it is coming. */
  isSettled(nowMs: number): boolean {
    const at = this.settlesAtMs();
    return at !== undefined && nowMs >= at;
  }

  /** When the result has been here for a while: what was to come right after it is not coming. */
  oldAtMs(): number | undefined {
    return this.#result && this.#arrivedAtMs + this.#collectMs;
  }

  settlesAtMs(): number | undefined {
    if (!this.#result) return undefined;
    return this.held.holdsAll(this.#result.intervals) ? 0 : this.#arrivedAtMs + this.#collectMs;
  }
}
