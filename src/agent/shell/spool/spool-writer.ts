import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import type { Cancel, Clock } from '../../../shared/kernel/clock.js';
import { checkpointEveryMs } from '../../core/spooled.js';
import { encodeSpoolRecord } from './records.js';
import type { SpoolHeader } from './records.js';
import { makeSpoolFolder, removeSpoolFile, spoolFileName } from './spool-folder.js';

/** A run's spool is a row of files of this size, of which the oldest go: at most 64 MiB in all. */
const fileBytes = 16 * 2 ** 20;
const mostFiles = 4;
/** Waiting for the disk; more than this and it has stood still for long. */
const mostPendingBytes = 8 * 2 ** 20;

export interface SpoolWriterOptions {
  readonly folder: string;
  readonly uid: number;
  readonly header: SpoolHeader;
  readonly clock: Clock;
  /** Once: nothing more is written after it. */
  readonly onFailure: (thrown: unknown) => void;
  readonly fileBytes?: number;
}

/**
 * Appends a run's records to its files. `add` never waits: one write is under way at a time, and takes all that came
 * meanwhile. What is written outlives the process; it is flushed to the disk every 5 s, and on `checkpoint`.
 */
export class SpoolWriter {
  readonly #options: SpoolWriterOptions;
  readonly files: string[] = [];
  readonly #sizes: number[] = [];
  /** Written, also to files that had to go. */
  bytes = 0;
  /** Times that what was written came to be on the disk for sure. */
  flushes = 0;
  #file: FileHandle | undefined;
  #made = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Results of whole stages: written again at the head of each new file, so that no old one takes them along. */
  readonly #lasting: Buffer[] = [];
  #working: Promise<void> | undefined;
  #failed = false;
  #unflushed = false;
  #cancelFlush: Cancel | undefined;

  constructor(options: SpoolWriterOptions) {
    this.#options = options;
  }

  /** What the files take. */
  get keptBytes(): number {
    return this.#sizes.reduce((sum, size) => sum + size, 0);
  }

  /** `lasting`: it must outlive what is dropped when the spool is full. */
  add(content: Uint8Array, lasting: boolean): void {
    if (this.#failed) return;
    const record = encodeSpoolRecord(content);
    this.#pending.push(record);
    this.#pendingBytes += record.length;
    if (lasting) this.#lasting.push(record);
    if (this.#pendingBytes > mostPendingBytes) this.#fail(new Error('the disk does not answer'));
    else void this.written();
  }

  /** Resolves when all that was added is in the files, or has failed; never rejects. */
  async written(): Promise<void> {
    while (this.#working) await this.#working;
    if (this.#failed || (this.#file && this.#pending.length === 0)) return;
    this.#working = this.#work();
    await this.#working;
  }

  /** Flushes to the disk soon: the link is lost, this may be all that is left. */
  checkpoint(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    void this.#flush();
  }

  /** Writes what is left and closes; never rejects. */
  async close(): Promise<void> {
    await this.written();
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    await this.#flush();
    const file = this.#file;
    this.#file = undefined;
    this.#failed = true;
    await this.#trying(async () => file?.close());
  }

  async #work(): Promise<void> {
    await this.#trying(async () => {
      const inFile = this.#sizes.at(-1) ?? 0;
      if (!this.#file || inFile > (this.#options.fileBytes ?? fileBytes)) await this.#turn();
      const bytes = Buffer.concat(this.#pending.splice(0));
      this.#pendingBytes = 0;
      await this.#write(bytes);
    });
    this.#working = undefined;
    if (this.#pending.length > 0) void this.written();
  }

  /** To the next file. */
  async #turn(): Promise<void> {
    const { folder, uid, header } = this.#options;
    await this.#file?.close();
    this.#file = undefined;
    // A folder for temporary files is cleaned now and then, and this one may have lain idle for weeks.
    await makeSpoolFolder(folder, uid);
    const name = spoolFileName(header.runId, header.instanceId, this.#made);
    const file = path.join(folder, name);
    this.#file = await open(file, 'wx', 0o600);
    this.files.push(file);
    this.#sizes.push(0);
    this.#made += 1;
    const head = encodeSpoolRecord(Buffer.from(JSON.stringify(header)));
    const before = this.#made > 1 ? this.#lasting : [];
    await this.#write(Buffer.concat([head, ...before]));
    if (this.files.length > mostFiles) {
      this.#sizes.shift();
      await removeSpoolFile(this.files.shift() ?? '');
    }
  }

  async #write(bytes: Buffer): Promise<void> {
    await this.#file?.appendFile(bytes);
    this.#sizes.push((this.#sizes.pop() ?? 0) + bytes.length);
    this.bytes += bytes.length;
    this.#unflushed = true;
    this.#cancelFlush ??= this.#options.clock.after(checkpointEveryMs, () => {
      this.#cancelFlush = undefined;
      void this.#flush();
    });
  }

  async #flush(): Promise<void> {
    if (!this.#unflushed || this.#failed) return;
    this.#unflushed = false;
    await this.#trying(async () => {
      await this.#file?.datasync();
      // What is written to a file without a name nobody finds.
      if ((await this.#file?.stat())?.nlink === 0) throw new Error('its file was removed');
      this.flushes += 1;
    });
  }

  async #trying(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      this.#fail(thrown);
    }
  }

  #fail(thrown: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    this.#options.onFailure(thrown);
  }
}
