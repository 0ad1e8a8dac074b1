import type { Cancel, Clock } from '../../src/shared/kernel/clock.js';

interface Turn {
  readonly atMs: number;
  readonly handle: () => void;
}

/** The event loop of a process whose work takes time: what falls due meanwhile comes late, in the order of its time. */
export class BusyLoop implements Clock {
  #nowMs = 0;
  readonly #turns: Turn[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  nowNs(): bigint {
    return BigInt(Math.round(this.#nowMs * 1e6));
  }

  unixMs(): number {
    return 1_700_000_000_000 + Math.round(this.#nowMs);
  }

  /** As in Node a timer takes a millisecond at least. */
  after(delayMs: number, fire: () => void): Cancel {
    return this.arrive(this.#nowMs + Math.max(1, delayMs), fire);
  }

  arrive(atMs: number, handle: () => void): Cancel {
    const turn = { atMs, handle };
    const later = this.#turns.findIndex((other) => other.atMs > atMs);
    this.#turns.splice(later < 0 ? this.#turns.length : later, 0, turn);
    return () => {
      const at = this.#turns.indexOf(turn);
      if (at >= 0) this.#turns.splice(at, 1);
    };
  }

  /** The turn that is under way takes so long. */
  spend(ms: number): void {
    this.#nowMs += ms;
  }

  run(): void {
    for (let turn = this.#turns.shift(); turn; turn = this.#turns.shift()) {
      this.#nowMs = Math.max(this.#nowMs, turn.atMs);
      turn.handle();
    }
  }
}
