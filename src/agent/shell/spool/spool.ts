import { createHash, timingSafeEqual } from 'node:crypto';
import type { Cancel, Clock } from '../../../shared/kernel/clock.js';
import { reasonOf } from '../../../shared/kernel/errors.js';
import type { Log } from '../../../shared/kernel/log.js';
import type { SpoolMetrics } from '../../../shared/model/link-report.js';
import type { AgentMessage, KeptCheckpoint } from '../../../shared/model/messages.js';
import { encodePayload } from '../../../shared/wire/codec.js';
import { Spooled } from '../../core/spooled.js';
import { readSpool } from './read-spool.js';
import type { SpoolBatch } from './read-spool.js';
import {
  listSpool,
  makeSpoolFolder,
  removeIfEmpty,
  removeKept,
  savedUnixMs,
} from './spool-folder.js';
import type { Kept } from './spool-folder.js';
import { SpoolWriter } from './spool-writer.js';

/** What nobody fetched is kept this long after the run left the agent … */
const keptMs = 60 * 60 * 1000;
/** … and all of it takes at most this much, the newest. */
const mostBytes = 256 * 2 ** 20;

export interface SpoolOptions {
  /** Those that may be used, the best first; none: no spool is kept. */
  readonly folders: readonly string[];
  readonly uid: number;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly log: Log;
  /** What the present run reports is not kept; one sentence. */
  readonly onFailure: (line: string) => void;
}

/** Whose run begins. */
export interface SpoolRun {
  readonly runId: string;
  readonly secret: string;
  readonly identity: string;
}

/** Who asks for what. */
export interface SpoolKey {
  readonly runId: string;
  readonly secret: string;
  readonly instanceId: string;
}

interface Present {
  readonly run: SpoolRun;
  readonly writer: SpoolWriter;
  readonly wants: Spooled;
}

/**
 * What an agent keeps of its runs on its own host, so that neither its own death nor the controller's costs more than
 * the last second: everything that counts of what it reports, until the controller has it.
 */
export class Spool {
  readonly #options: SpoolOptions;
  #folder: string | undefined;
  /** By this process. */
  #made = false;
  #why = '';
  #kept: Kept[] = [];
  #present: Present | undefined;
  #prune: Cancel | undefined;
  #closed = false;
  /** Of the last run: its files are whole when it resolves. */
  #closing: Promise<void> = Promise.resolve();

  private constructor(options: SpoolOptions) {
    this.#options = options;
  }

  /** Finds what an earlier process left, says so, and forgets what is too old. Never rejects. */
  static async open(options: SpoolOptions): Promise<Spool> {
    const spool = new Spool(options);
    await spool.#open();
    return spool;
  }

  /** What can be fetched, but for the present run. */
  get offers(): readonly KeptCheckpoint[] {
    return this.#kept.map(({ runId, identity, instanceId, savedUnixMs, bytes }) => {
      return { runId, identity, instanceId, savedUnixMs, bytes };
    });
  }

  /** A run has the agent. */
  begin(run: SpoolRun): void {
    const { uid, instanceId, clock, folders, onFailure } = this.#options;
    const folder = this.#folder;
    if (folder === undefined) {
      if (folders.length > 0) onFailure(notKept(this.#why));
      return;
    }
    const { runId, identity } = run;
    const header = {
      schema: 1,
      runId,
      identity,
      instanceId,
      secretSha256: digest(run.secret),
    } as const;
    const writer: SpoolWriter = new SpoolWriter({
      folder,
      uid,
      header,
      clock,
      onFailure: (thrown) => {
        // What fails at the end of a run is not the next one's.
        if (this.#present?.writer === writer) onFailure(notKept(`${folder}: ${reasonOf(thrown)}`));
      },
    });
    this.#present = { run, writer, wants: new Spooled() };
    void writer.written();
  }

  /** Something was reported to the controller. */
  add(message: AgentMessage): void {
    const present = this.#present;
    if (!present?.wants.wants(message.kind, this.#options.clock.nowMs())) return;
    present.writer.add(encodePayload(message), message.kind === 'stageResult');
  }

  /** Of the present run. */
  get metrics(): SpoolMetrics {
    const writer = this.#present?.writer;
    return { checkpoints: writer?.flushes ?? 0, checkpointBytes: writer?.bytes ?? 0 };
  }

  /** The link is lost: what was reported goes to the disk at once. */
  checkpoint(): void {
    this.#present?.writer.checkpoint();
  }

  /** The run has left the agent. `delivered`: its controller has everything. Never rejects. */
  async end(delivered: boolean): Promise<void> {
    const present = this.#present;
    if (!present) return;
    this.#present = undefined;
    const kept = this.#keptOf(present);
    if (!delivered) this.#kept.push(kept);
    this.#closing = present.writer.close();
    await this.#closing;
    if (delivered) {
      await this.#remove(kept);
      return;
    }
    // What was still on its way to the disk counts as well.
    const whole = this.#keptOf(present);
    this.#kept = this.#kept.map((one) => (one === kept ? whole : one));
    await this.#forgetOld();
  }

  /** What the agent has of the run for one who knows its secret; undefined: nothing, or not for him. */
  find({ runId, secret, instanceId }: SpoolKey): Kept | undefined {
    const present = this.#present;
    const all = present ? [...this.#kept, this.#keptOf(present)] : this.#kept;
    return all.find((kept) => {
      if (kept.runId !== runId || kept.instanceId !== instanceId) return false;
      return timingSafeEqual(Buffer.from(kept.secretSha256), Buffer.from(digest(secret)));
    });
  }

  /** All that is kept of the run now, and may grow while it has the agent. Throws the system's error. */
  async *read(key: SpoolKey): AsyncGenerator<SpoolBatch> {
    await this.#closing;
    await this.#present?.writer.written();
    yield* readSpool(this.find(key)?.files ?? []);
  }

  /** The controller has it. */
  async forget(key: SpoolKey): Promise<void> {
    const kept = this.find(key);
    if (!kept || !this.#kept.includes(kept)) return;
    this.#kept = this.#kept.filter((one) => one !== kept);
    await this.#remove(kept);
  }

  /** The agent leaves. What is kept stays for its next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#prune?.();
    await this.end(false);
    // An end that is under way already: its files are whole, too.
    await this.#closing;
    if (this.#folder !== undefined) await removeIfEmpty(this.#folder);
  }

  /** The agent cannot serve. A folder that was there may be that of the agent which has the address. */
  async discard(): Promise<void> {
    this.#closed = true;
    this.#prune?.();
    if (this.#made && this.#folder !== undefined) await removeIfEmpty(this.#folder);
  }

  async #open(): Promise<void> {
    const { folders, uid, log } = this.#options;
    for (const folder of folders) {
      try {
        this.#made = await makeSpoolFolder(folder, uid);
        const oldest = this.#options.clock.unixMs() - keptMs;
        this.#kept = await listSpool(folder, oldest, (file, unreadable) => {
          log(
            'warn',
            `a checkpoint cannot be read and is left alone: ${file}: ${reasonOf(unreadable)}`,
          );
        });
        this.#folder = folder;
        break;
      } catch (thrown) {
        this.#why = `${folder}: ${reasonOf(thrown)}`;
        log('debug', `no spool in ${this.#why}`);
      }
    }
    if (this.#folder === undefined) {
      if (folders.length > 0) log('warn', notKept(this.#why));
      return;
    }
    log('debug', `spool in ${this.#folder}`);
    await this.#forgetOld();
    for (const { runId, identity, bytes } of this.#kept) {
      const size = `${String(Math.ceil(bytes / 1024))} KiB`;
      log('info', `checkpoint available for run ${runId} of ${identity} (${size})`);
    }
  }

  #keptOf({ run, writer }: Present): Kept {
    return {
      runId: run.runId,
      identity: run.identity,
      instanceId: this.#options.instanceId,
      secretSha256: digest(run.secret),
      savedUnixMs: this.#options.clock.unixMs(),
      bytes: writer.keptBytes,
      files: writer.files,
    };
  }

  async #forgetOld(): Promise<void> {
    const { clock, log } = this.#options;
    this.#prune?.();
    this.#prune = undefined;
    const oldest = clock.unixMs() - keptMs;
    const saved = new Map<Kept, number>();
    for (const kept of this.#kept) saved.set(kept, await savedUnixMs(kept));
    const savedMs = (kept: Kept): number => saved.get(kept) ?? kept.savedUnixMs;
    let bytes = 0;
    const newestFirst = this.#kept.toSorted((a, b) => savedMs(b) - savedMs(a));
    const old = newestFirst.filter((kept) => {
      bytes += kept.bytes;
      return savedMs(kept) <= oldest || bytes > mostBytes;
    });
    this.#kept = this.#kept.filter((kept) => !old.includes(kept));
    for (const kept of old) {
      log('info', `checkpoint of run ${kept.runId} was not fetched in time: forgotten`);
      await this.#remove(kept);
    }
    if (this.#kept.length > 0 && !this.#closed) {
      this.#prune = clock.after(keptMs, () => void this.#forgetOld());
    }
  }

  async #remove(kept: Kept): Promise<void> {
    try {
      await removeKept(kept);
    } catch (thrown) {
      this.#options.log(
        'warn',
        `cannot remove the checkpoint of run ${kept.runId}: ${reasonOf(thrown)}`,
      );
    }
  }
}

function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

function notKept(why: string): string {
  return `No spool is written (${why}): should this agent or its controller die, what the controller has not received is lost`;
}
