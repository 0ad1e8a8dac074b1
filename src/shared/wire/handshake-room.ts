/** Streams in the handshake at once, far more than there are controllers. */
const mostAtOnce = 64;

/**
 * Bounds what strangers can occupy: streams that are not a session yet. When there are too many, the oldest has to go:
 * a controller needs one round trip, only who stalls stays for long.
 */
export class HandshakeRoom {
  readonly #waiting = new Set<() => void>();

  /** @returns to be called when the handshake is over */
  enter(evict: () => void): () => void {
    const entry = (): void => {
      evict();
    };
    this.#waiting.add(entry);
    if (this.#waiting.size > mostAtOnce) {
      const [oldest] = this.#waiting;
      if (oldest) {
        this.#waiting.delete(oldest);
        oldest();
      }
    }
    return () => {
      this.#waiting.delete(entry);
    };
  }
}
