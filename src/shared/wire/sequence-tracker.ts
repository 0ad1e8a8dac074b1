/** A nak goes out at most this often. */
export const nakEveryMs = 200;

/**
 * What a receiver knows of the peer's sequence on one stream, and what it says about it.
 *
 * `seen` never passes a hole before the peer has been told: it stays below the first missing or damaged frame until the
 * peer has acted on a nak that was written after the trouble. So everything at or below `seen` arrived whole, and
 * everything above the `seen` of a nak has to be written again.
 */
export class SequenceTracker {
  /** Highest sequence taken. The next one is expected to be one higher. */
  #highest: bigint;
  /** Damaged frames since then: a hole of as many is no news. */
  #damaged = 0n;
  #hold: bigint | undefined;
  /** Something went wrong since the last nak. */
  #troubled = false;
  /** A nak itself seems to be lost. */
  #nakLost = false;
  /**
   * Naks the peer has not acted on, oldest first: our own sequence, and #highest then. One that is only written again
   * is not a new one: with a round trip above 200 ms, waiting for the latest would never end.
   */
  #naks: { readonly sequence: bigint; readonly highest: bigint }[] = [];
  #nakAtMs = Number.NEGATIVE_INFINITY;

  /** @param before how many frames the handshake took on this stream */
  constructor(before: bigint) {
    this.#highest = before;
  }

  get expected(): bigint {
    return this.#highest + 1n;
  }

  get seen(): bigint {
    return this.#hold ?? this.#highest;
  }

  /** @returns replayed: at or below what was taken; gap: frames before it are missing without a known reason; next: as expected */
  take(sequence: bigint): 'replayed' | 'gap' | 'next' {
    const missing = sequence - this.expected;
    if (missing < 0n) return 'replayed';
    // A hole is naked even when damaged frames explain it: they need not be those that are missing.
    if (missing > 0n) this.trouble();
    const unexplained = missing > this.#damaged;
    this.#damaged -= missing < this.#damaged ? missing : this.#damaged;
    this.#highest = sequence;
    return unexplained ? 'gap' : 'next';
  }

  /** A frame could not be read. The expected sequence does not advance: who knows what it was. */
  damaged(): void {
    this.trouble();
    this.#damaged += 1n;
  }

  /** Something is missing: a nak must go out. */
  trouble(): void {
    this.#hold ??= this.#highest;
    this.#troubled = true;
  }

  /** When a nak may go out; undefined: none is wanted. */
  nakDueMs(): number | undefined {
    return this.#troubled || this.#nakLost ? this.#nakAtMs + nakEveryMs : undefined;
  }

  nakWritten(sequence: bigint, nowMs: number): void {
    if (this.#troubled) this.#naks.push({ sequence, highest: this.#highest });
    this.#troubled = false;
    this.#nakLost = false;
    this.#nakAtMs = nowMs;
  }

  /** The peer has acted on our nak with `sequence`, the last one it got. */
  peerHeard(sequence: bigint): void {
    const done = this.#naks.filter((nak) => nak.sequence <= sequence).at(-1);
    if (!done) return;
    this.#naks = this.#naks.filter((nak) => nak.sequence > sequence);
    // Trouble since that nak waits for its own.
    const more = this.#troubled || this.#naks.length > 0;
    this.#hold = more ? done.highest : undefined;
    if (this.#naks.length === 0) this.#nakLost = false;
  }

  /** The peer misses frames of ours: a nak that it has not acted on can be among them. */
  peerNaked(): void {
    if (this.#naks.length > 0) this.#nakLost = true;
  }
}
