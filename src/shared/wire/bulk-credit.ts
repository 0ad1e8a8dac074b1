import { Votes } from '../kernel/votes.js';

/** A chunk of a large payload, and the least that may always be on its way. */
export const chunkBytes = 16 * 1024;
/** Ceiling, whatever the link. */
const mostBytes = 4 * 1024 * 1024;
/** Bulk on its way may delay a heartbeat by about this long. */
const delayMs = 500;
/** The acknowledged rate is measured over the last second, in steps of a tenth. */
const slotMs = 100;
const slots = 10;

/**
 * Keeps bulk from delaying control: unacknowledged bulk ≤ max(16 KiB, 500 ms × acknowledged rate), at most 4 MiB
 * (2-protocol §2). On an idle or slowed link the rate falls within a second, on a fast one it doubles every few round trips.
 * A single frame larger than the credit may go when nothing else is on its way.
 */
export class BulkCredit {
  #inFlight: { readonly sequence: bigint; readonly bytes: number }[] = [];
  #inFlightBytes = 0;
  readonly #acked = new Array<number>(slots).fill(0);
  #slot = 0;
  /** For the log [LINK-11]: the limit that was told last, and when the present one was compared with it. */
  #told = chunkBytes;
  #comparedMs = 0;
  readonly #votes = new Votes();

  get inFlightBytes(): number {
    return this.#inFlightBytes;
  }

  /** How many bytes of bulk may be unacknowledged now. */
  limit(nowMs: number): number {
    const wanted = (this.#perSecond(nowMs) * delayMs) / 1000;
    return Math.min(mostBytes, Math.max(chunkBytes, wanted));
  }

  /**
   * To be called at an acknowledgement while bulk waits for credit: only then does the rate say something about the link.
   * @returns the limit and the acknowledged rate, exactly when the limit has been twice or half of the one told before,
   *   second after second
   */
  changed(nowMs: number): { readonly limit: number; readonly perSecond: number } | undefined {
    if (nowMs - this.#comparedMs < slots * slotMs) return undefined;
    this.#comparedMs = nowMs;
    const limit = this.limit(nowMs);
    const direction = limit >= 2 * this.#told ? 1 : 2 * limit <= this.#told ? -1 : 0;
    if (!this.#votes.cast(direction)) return undefined;
    this.#told = limit;
    return { limit, perSecond: this.#perSecond(nowMs) };
  }

  allows(bytes: number, nowMs: number): boolean {
    return this.#inFlightBytes === 0 || this.#inFlightBytes + bytes <= this.limit(nowMs);
  }

  wrote(sequence: bigint, bytes: number): void {
    this.#inFlight.push({ sequence, bytes });
    this.#inFlightBytes += bytes;
  }

  /** The peer has processed everything up to `sequence`. */
  seen(sequence: bigint, nowMs: number): void {
    this.#turn(nowMs);
    let count = 0;
    let bytes = 0;
    for (const frame of this.#inFlight) {
      if (frame.sequence > sequence) break;
      count += 1;
      bytes += frame.bytes;
    }
    this.#inFlight.splice(0, count);
    this.#inFlightBytes -= bytes;
    const index = this.#slot % slots;
    this.#acked[index] = (this.#acked[index] ?? 0) + bytes;
  }

  /** Nothing is on its way any more: a new stream, or what was is written again. */
  reset(): void {
    this.#inFlight = [];
    this.#inFlightBytes = 0;
  }

  /** Acknowledged bytes. */
  #perSecond(nowMs: number): number {
    this.#turn(nowMs);
    return this.#acked.reduce((sum, bytes) => sum + bytes, 0) * (1000 / (slots * slotMs));
  }

  #turn(nowMs: number): void {
    const slot = Math.floor(nowMs / slotMs);
    const passed = Math.min(slots, slot - this.#slot);
    for (let step = 1; step <= passed; step += 1) this.#acked[(this.#slot + step) % slots] = 0;
    this.#slot = Math.max(slot, this.#slot);
  }
}
