import type { Cancel, Clock } from '../../shared/kernel/clock.js';
import type { Log } from '../../shared/kernel/log.js';
import { LiveInbox } from '../core/live-inbox.js';
import type { JournalRecord } from '../core/records.js';

type IntervalRecord = Extract<JournalRecord, { type: 'interval' }>;

/** Counting goes on for this long at most before the loop turns to other things. */
const sliceMs = 5;
/** When more come in one turn of the loop than can wait, it takes this much longer at most to count the oldest of them. */
const roomMs = 120;

export interface IntakeOptions {
  readonly clock: Clock;
  /** Counts one record and writes it down. */
  readonly count: (record: JournalRecord) => void;
  readonly notice: Log;
  /** Counting threw what it never should. */
  readonly onBug: (thrown: unknown) => void;
}

/**
 * Takes the run's records in. Intervals, which cost most and hurry least, wait in a bounded inbox and are counted in
 * slices between the turns of the loop, so that no message about the run's course waits behind them. Only when more
 * come in one turn of the loop than can wait and be counted in it, the oldest lose their place in the time line.
 */
export class LiveIntake {
  readonly #options: IntakeOptions;
  readonly #inbox = new LiveInbox<IntervalRecord>();
  #cancel: Cancel | undefined;
  /** Until when more than can wait are counted in this turn; undefined: there were none. */
  #roomUntilMs: number | undefined;
  /** Records that came to wait, and those of them that are counted, from the first on. */
  #added = 0;
  #counted = 0;
  #onBug: (thrown: unknown) => void;
  readonly #waiting: { readonly added: number; readonly done: () => void }[] = [];

  constructor(options: IntakeOptions) {
    this.#options = options;
    this.#onBug = options.onBug;
  }

  record(record: JournalRecord): void {
    if (record.type !== 'interval') {
      this.#options.count(record);
      return;
    }
    if (this.#inbox.isFull) this.#makeRoom();
    const { folded, isNews } = this.#inbox.add(record);
    this.#added += 1;
    if (isNews) {
      this.#options.notice('warn', 'Warning: Dropping old stats messages (processing backlog)');
    }
    if (folded) this.#count({ ...folded, folded: true });
    this.#schedule();
  }

  /** Calls `done` when all records so far have been counted; at once when none waits. */
  whenCounted(done: () => void): void {
    if (this.#counted === this.#added) done();
    else this.#waiting.push({ added: this.#added, done });
  }

  /** The run is over: resolves when all records so far have been counted, rejects when that throws what it never should. */
  counted(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onBug = reject;
      this.whenCounted(resolve);
    });
  }

  #makeRoom(): void {
    const nowMs = this.#options.clock.nowMs();
    this.#roomUntilMs ??= nowMs + roomMs;
    if (nowMs < this.#roomUntilMs) this.#countOldest();
  }

  #countOldest(): void {
    const oldest = this.#inbox.take();
    if (oldest) this.#count(oldest);
  }

  #count(record: IntervalRecord): void {
    this.#options.count(record);
    this.#counted += 1;
    while ((this.#waiting[0]?.added ?? Infinity) <= this.#counted) this.#waiting.shift()?.done();
  }

  #schedule(): void {
    this.#cancel ??= this.#options.clock.after(0, () => {
      this.#cancel = undefined;
      try {
        this.#slice();
      } catch (thrown) {
        this.#onBug(thrown);
      }
    });
  }

  #slice(): void {
    const { clock } = this.#options;
    const untilMs = clock.nowMs() + sliceMs;
    this.#roomUntilMs = undefined;
    do this.#countOldest();
    while (this.#inbox.size > 0 && clock.nowMs() < untilMs);
    if (this.#inbox.size > 0) this.#schedule();
  }
}
