import { open } from 'node:fs/promises';
import type { Cancel, Clock } from '../../shared/kernel/clock.js';

/** Lines that come together are written together; soon enough that no acknowledgement, which has 50 ms, waits for it. */
const writeAfterMs = 25;
const flushEveryMs = 1000;
/** A write that takes longer is no reason to leave the other side without an acknowledgement. */
const stallMs = 2000;
/** The end of it is waited for anew: after a sleep of this process its timers come before what the disk has answered. */
const lastLookMs = 100;
/** Lines waiting for the disk: more than this and it has stood still for minutes of the largest fleet. */
const mostPendingBytes = 64 * 2 ** 20;

/** Where the lines go; a node FileHandle fits. */
export interface LineTarget {
  appendFile(text: string): Promise<void>;
  datasync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * An append-only file of lines: written as they come, flushed to disk at most once a second, both off the loop. The
 * first failure (ENOSPC, EROFS, a disk that stands still) is kept in `failure` and told once through `onFailure`; after
 * it nothing more is written, so that what is there stays in order.
 */
export class LineFile {
  failure: Error | undefined;
  onFailure: (failure: Error) => void = () => undefined;
  /** A write has taken 2 s: until it returns, `whenWritten` does not wait for it. */
  onStall: () => void = () => undefined;
  readonly #target: LineTarget;
  readonly #clock: Clock;
  #pending: string[] = [];
  #pendingBytes = 0;
  #waiting: (() => void)[] = [];
  /** Who waits for the write under way. */
  #nearly: (() => void)[] = [];
  #stalled = false;
  #writing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  /** Written, and not yet flushed. */
  #unflushed = false;
  #cancelWrite: Cancel | undefined;
  #cancelSync: Cancel | undefined;

  constructor(target: LineTarget, clock: Clock) {
    this.#target = target;
    this.#clock = clock;
  }

  /** Makes the file, which must not exist. Rejects with the system's error. */
  static async create(path: string, clock: Clock): Promise<LineFile> {
    return new LineFile(await open(path, 'ax', 0o644), clock);
  }

  /** Goes on with a file that is there. Rejects with the system's error. */
  static async resume(path: string, clock: Clock): Promise<LineFile> {
    return new LineFile(await open(path, 'a', 0o644), clock);
  }

  /** `line` without its end. */
  append(line: string): void {
    if (this.failure) return;
    this.#pending.push(`${line}\n`);
    this.#pendingBytes += line.length + 1;
    if (this.#pendingBytes > mostPendingBytes) {
      this.#fail(new Error('the disk is too slow'));
    } else if (!this.#writing) {
      this.#cancelWrite ??= this.#clock.after(writeAfterMs, () => void this.#write());
    }
  }

  /**
   * Calls `written` when all that was appended before is in the file, where the end of this process cannot reach it; at
   * once when it is, when it never will be (`failure`), and when the disk stands still.
   */
  whenWritten(written: () => void): void {
    if (this.failure || this.#stalled) written();
    else if (this.#pending.length > 0) this.#waiting.push(written);
    else if (this.#writing) this.#nearly.push(written);
    else written();
  }

  /** The disk takes no more, or stands still at present. */
  get isBehind(): boolean {
    return this.failure !== undefined || this.#stalled;
  }

  /** Resolves when all that was appended before is on disk, or has failed; never rejects. */
  async flush(): Promise<void> {
    // A write under way does not have the newest lines: wait for it, then write them.
    while (this.#writing) await this.#writing;
    await this.#write();
    while (this.#syncing) await this.#syncing;
    await this.#sync();
  }

  /** Flushes and closes; never rejects: see `failure`. */
  async close(): Promise<void> {
    await this.flush();
    this.#cancelWrite?.();
    this.#cancelSync?.();
    try {
      await this.#target.close();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #write(): Promise<void> {
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    if (this.failure || this.#pending.length === 0) return Promise.resolve();
    this.#writing = this.#writePending();
    return this.#writing;
  }

  async #writePending(): Promise<void> {
    const text = this.#pending.join('');
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#nearly = this.#waiting;
    this.#waiting = [];
    let cancelStall = this.#clock.after(stallMs - lastLookMs, () => {
      cancelStall = this.#clock.after(lastLookMs, () => {
        this.#stall();
      });
    });
    try {
      await this.#target.appendFile(text);
      this.#unflushed = true;
      this.#syncSoon();
    } catch (thrown) {
      this.#fail(thrown);
    }
    cancelStall();
    this.#stalled = false;
    this.#writing = undefined;
    for (const written of this.#nearly.splice(0)) written();
    if (this.#pending.length > 0) void this.#write();
  }

  #syncSoon(): void {
    if (!this.#unflushed || this.failure) return;
    this.#cancelSync ??= this.#clock.after(flushEveryMs, () => void this.#sync());
  }

  #sync(): Promise<void> {
    this.#cancelSync?.();
    this.#cancelSync = undefined;
    if (this.failure || !this.#unflushed) return Promise.resolve();
    this.#syncing ??= this.#syncWritten();
    return this.#syncing;
  }

  async #syncWritten(): Promise<void> {
    this.#unflushed = false;
    try {
      await this.#target.datasync();
    } catch (thrown) {
      this.#fail(thrown);
    }
    this.#syncing = undefined;
    this.#syncSoon();
  }

  #stall(): void {
    this.#stalled = true;
    this.onStall();
    this.#release();
  }

  #release(): void {
    for (const written of [...this.#nearly.splice(0), ...this.#waiting.splice(0)]) written();
  }

  #fail(thrown: unknown): void {
    if (this.failure) return;
    this.failure = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    this.#release();
    this.onFailure(this.failure);
  }
}
