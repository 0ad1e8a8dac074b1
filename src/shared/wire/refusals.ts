import type { Cancel, Clock } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';

/** token: it does not prove that it knows it; handshake: no sense, too slow or too many; tls: certificates; run: busy and the like. */
export type RefusalKind = 'token' | 'handshake' | 'tls' | 'run';

const windowMs = 10_000;
const linesPerWindow = 10;
const linesOfOneReason = 2;

/**
 * The log of those who were turned away. Whoever hammers at the door must not fill the log, nor hide the others in it: in
 * ten seconds each reason has two lines, all together ten, and the rest is counted and told in one.
 */
export class Refusals {
  readonly counts: Record<RefusalKind, number> = { token: 0, handshake: 0, tls: 0, run: 0 };
  readonly #clock: Clock;
  readonly #log: Log;
  #lines = 0;
  readonly #reasons = new Map<string, number>();
  #kept: Partial<Record<RefusalKind, number>> = {};
  #lastPeer = '';
  #window: Cancel | undefined;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** @param line a whole sentence that names the peer */
  refused(kind: RefusalKind, peer: string, line: string): void {
    this.counts[kind] += 1;
    this.#window ??= this.#clock.after(windowMs, () => {
      this.#summarise();
    });
    const reason = line.replace(peer, '');
    const told = this.#reasons.get(reason) ?? 0;
    if (this.#lines < linesPerWindow && told < linesOfOneReason) {
      this.#lines += 1;
      this.#reasons.set(reason, told + 1);
      this.#log('warn', line);
      return;
    }
    this.#kept[kind] = (this.#kept[kind] ?? 0) + 1;
    this.#lastPeer = peer;
  }

  /** Says what is not said yet. */
  close(): void {
    this.#window?.();
    this.#summarise();
  }

  #summarise(): void {
    const kept = Object.entries(this.#kept);
    const total = kept.reduce((sum, [, count]) => sum + count, 0);
    const peer = this.#lastPeer;
    this.#window = undefined;
    this.#lines = 0;
    this.#reasons.clear();
    this.#kept = {};
    if (total === 0) return;
    const kinds = kept.map(([kind, count]) => `${kind} ${count}`).join(', ');
    this.#log('warn', `Refused ${total} more within ${windowMs / 1000}s (${kinds}), last ${peer}`);
  }
}
