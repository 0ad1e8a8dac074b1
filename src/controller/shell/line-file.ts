import { open } from 'node:fs/promises';
import type { Cancel, Clock } from '../../shared/kernel/clock.js';

const flushEveryMs = 1000;
/** Lines waiting for the disk: more than this and it has stood still for minutes of the largest fleet. */
const mostPendingBytes = 64 * 2 ** 20;

/** Where the lines go; a node FileHandle fits. */
export interface LineTarget {
  appendFile(text: string): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * An append-only file of lines, written and flushed to disk off the loop, at most once a second. The first failure
 * (ENOSPC, EROFS, a disk that stands still) is kept in `failure` and told once through `onFailure`; after it
 * nothing more is written, so that what is there stays in order.
 */
export class LineFile {
  failure: Error | undefined;
  onFailure: (failure: Error) => void = () => undefined;
  readonly #target: LineTarget;
  readonly #clock: Clock;
  #pending: string[] = [];
  #pendingBytes = 0;
  #cancel: Cancel | undefined;
  #writing: Promise<void> | undefined;

  constructor(target: LineTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  /** Makes the file, which must not exist. Rejects with the system's error. */
  static async create(path: string, clock: Clock): Promise<LineFile> {
    return new LineFile(await open(path, 'ax', 0o644), clock);
  }

  /** `line` without its end. */
  append(line: string): void {
    if (this.failure) return;
    this.#pending.push(`${line}\n`);
    this.#pendingBytes += line.length + 1;
    if (this.#pendingBytes > mostPendingBytes) {
      this.#fail(new Error('the disk is too slow'));
    } else if (!this.#writing) {
      this.#schedule();
    }
  }

  /** Resolves when all that was appended before is on disk, or has failed; never rejects. */
  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    // A write under way does not have the newest lines: wait for it, then write them.
    while (this.#writing) await this.#writing;
    if (this.failure || this.#pending.length === 0) return;
    this.#writing = this.#write();
    await this.#writing;
  }

  /** Flushes and closes; never rejects: see `failure`. */
  async close(): Promise<void> {
    await this.flush();
    this.#cancel?.();
    try {
      await this.#target.close();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  async #write(): Promise<void> {
    const text = this.#pending.join('');
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      await this.#target.appendFile(text);
      await this.#target.datasync();
    } catch (thrown) {
      this.#fail(thrown);
    }
    this.#writing = undefined;
    if (this.#pending.length > 0 && !this.failure) this.#schedule();
  }

  #schedule(): void {
    this.#cancel ??= this.#clock.after(flushEveryMs, () => {
      this.#cancel = undefined;
      void this.flush();
    });
  }

  #fail(thrown: unknown): void {
    if (this.failure) return;
    this.failure = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.#pending = [];
    this.#pendingBytes = 0;
    this.onFailure(this.failure);
  }
}
