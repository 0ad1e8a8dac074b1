import type { Cancel, Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { deliveryOf } from '../model/messages.js';
import type { CountedKind } from '../model/link-metrics.js';

/** The n-th attempt to get a full stream drained fails after n of these. */
const stepMs = 10;
const attempts = 5;

/** What the pump needs of an endpoint. */
export interface FrameSource {
  poll(nowMs: number): Buffer | undefined;
  peek(nowMs: number): CountedKind | undefined;
  wakeAt(): number | undefined;
  couldNotWrite(what: 'retries' | 'backlogs'): void;
}

export interface PumpOptions {
  readonly source: FrameSource;
  /** @returns false when the stream is full; `drained` must then be called when it is not any more */
  readonly write: (frame: Buffer) => boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The only writer to a call (RPC-05). When the stream is full nothing is taken from the endpoint: intervals join there,
 * reliable frames stay queued. A drain, a stop and the next attempt race; no drain is ever emitted once the peer is gone.
 */
export class SenderPump {
  readonly #options: PumpOptions;
  #full = false;
  #stopped = false;
  #attempt = 0;
  #attemptTimer: Cancel | undefined;
  #wakeTimer: Cancel | undefined;
  /** Said once per backlog. */
  #reported = { critical: false, other: false };

  constructor(options: PumpOptions) {
    this.#options = options;
  }

  /** Something may have to be written. */
  wake(): void {
    if (this.#stopped) return;
    if (this.#full) this.#await();
    else this.#write();
  }

  /** The stream takes frames again. */
  drained(): void {
    if (this.#stopped || !this.#full) return;
    this.#full = false;
    const tried = this.#gaveUp ? 0 : this.#attempt;
    const kind = this.#pending();
    this.#endWait();
    this.#write();
    if (tried > 1 && kind) {
      this.#say('debug', `${nameOf(kind)} message sent successfully after ${tried} attempts`);
    }
  }

  /** Ends every wait at once (STAT-09). */
  stop(): void {
    this.#stopped = true;
    this.#endWait();
    this.#wakeTimer?.();
  }

  get #gaveUp(): boolean {
    return this.#attempt > attempts;
  }

  #write(): void {
    const { source, write, clock } = this.#options;
    this.#wakeTimer?.();
    let frame: Buffer | undefined;
    while (!this.#full && (frame = source.poll(clock.nowMs()))) this.#full = !write(frame);
    if (this.#full) {
      this.#await();
      return;
    }
    const at = source.wakeAt();
    if (at === undefined) return;
    this.#wakeTimer = clock.after(at - clock.nowMs(), () => {
      this.wake();
    });
  }

  /** The stream is full: begins to wait when there is something to wait with. */
  #await(): void {
    const kind = this.#pending();
    if (!kind) return;
    if (this.#gaveUp) this.#report(kind);
    else if (this.#attempt === 0) this.#try(1);
  }

  #try(attempt: number): void {
    this.#attempt = attempt;
    this.#attemptTimer = this.#options.clock.after(attempt * stepMs, () => {
      this.#failed(attempt);
    });
  }

  #failed(attempt: number): void {
    this.#options.source.couldNotWrite('retries');
    const kind = this.#pending();
    if (attempt < attempts) {
      if (kind) this.#say('debug', `${nameOf(kind)} send failed (attempt ${attempt}), retrying...`);
      this.#try(attempt + 1);
      return;
    }
    this.#attempt = attempt + 1;
    this.#options.source.couldNotWrite('backlogs');
    if (kind) this.#report(kind);
  }

  #report(kind: CountedKind): void {
    const critical = isCritical(kind);
    const level = critical ? 'critical' : 'other';
    if (this.#reported[level]) return;
    this.#reported[level] = true;
    this.#say(critical ? 'error' : 'debug', `Failed to send ${nameOf(kind)} after retries`);
  }

  /** What waits to be written; an acknowledgement alone is not worth a word. */
  #pending(): CountedKind | undefined {
    const kind = this.#options.source.peek(this.#options.clock.nowMs());
    return kind === 'ack' ? undefined : kind;
  }

  #endWait(): void {
    this.#attemptTimer?.();
    this.#attemptTimer = undefined;
    this.#attempt = 0;
    this.#reported = { critical: false, other: false };
  }

  #say(level: 'debug' | 'error', line: string): void {
    this.#options.log(level, line);
  }
}

function isCritical(kind: CountedKind): boolean {
  return (
    kind !== 'ack' &&
    kind !== 'chunk' &&
    kind !== 'intervals' &&
    deliveryOf[kind].lane === 'critical'
  );
}

function nameOf(kind: CountedKind): string {
  return kind === 'interval' || kind === 'intervals' ? 'stats' : kind;
}
