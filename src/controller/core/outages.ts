import type { JournalRecord } from './records.js';

type LinkRecord = Extract<JournalRecord, { type: 'link' }>;

/** The times that one agent's link was down, or the agent hung, and it came back. */
export class Outages {
  readonly #lossesMs: number[] = [];
  readonly #hangsMs: number[] = [];
  #away: { readonly sinceMs: number; readonly durationsMs: number[] } | undefined;

  heard({ to, atMs, silentMs = 0 }: LinkRecord): void {
    if (to === 'DISCONNECTED' || to === 'HUNG') {
      const durationsMs = to === 'HUNG' ? this.#hangsMs : this.#lossesMs;
      // A stream that proved dead had been so since the last word on it.
      this.#away ??= { sinceMs: atMs - silentMs, durationsMs };
    } else if (to === 'CONNECTED' && this.#away !== undefined) {
      const { sinceMs, durationsMs } = this.#away;
      // A hang has lasted for some time when it is called one.
      durationsMs.push(Math.round(Math.max(atMs - sinceMs, silentMs)));
      this.#away = undefined;
    }
  }

  /** How long each loss of the link took, in their order. */
  get lossesMs(): readonly number[] {
    return this.#lossesMs;
  }

  /** How long the agent did not respond each time that it was HUNG, in their order. */
  get hangsMs(): readonly number[] {
    return this.#hangsMs;
  }
}
