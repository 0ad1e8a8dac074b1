import type { JournalRecord } from './records.js';

type LinkRecord = Extract<JournalRecord, { type: 'link' }>;

/** The times that one agent's link was down and came back. */
export class Outages {
  readonly #durationsMs: number[] = [];
  #downSinceMs: number | undefined;

  heard({ to, atMs }: LinkRecord): void {
    if (to === 'DISCONNECTED') this.#downSinceMs ??= atMs;
    else if (to === 'CONNECTED' && this.#downSinceMs !== undefined) {
      this.#durationsMs.push(Math.round(atMs - this.#downSinceMs));
      this.#downSinceMs = undefined;
    }
  }

  /** How long each took, in their order. */
  get durationsMs(): readonly number[] {
    return this.#durationsMs;
  }

  get totalMs(): number {
    return this.#durationsMs.reduce((sum, ms) => sum + ms, 0);
  }
}
