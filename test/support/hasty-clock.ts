import type { Cancel, Clock } from '../../src/shared/kernel/clock.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';

/** Time passes as fast as somebody waits for it. */
export class HastyClock implements Clock {
  #ms = 0;

  nowNs(): bigint {
    return BigInt(Math.round(this.#ms * 1e6));
  }

  nowMs(): number {
    return this.#ms;
  }

  unixMs(): number {
    return this.#ms;
  }

  after(ms: number, fire: () => void): Cancel {
    return systemClock.after(0, () => {
      this.#ms += ms;
      fire();
    });
  }
}
