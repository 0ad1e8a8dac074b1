import fs from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, rename, rm } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { z } from 'zod';
import { codeOf, reasonOf } from '../../../shared/kernel/errors.js';
import type { Assignment } from '../../../shared/model/assignment.js';
import { historyName } from '../dataset-layout.js';
import { inDoubt, mostGenerations, unitsPerFile } from './generations.js';
import type { RunOfWrites } from './generations.js';

const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/** Larger datasets keep no history: as a file it has 4 bytes for each block of 4 KiB, 256 MiB for 256 GiB. */
const mostKept = 2 ** 26;
/** A run that would go beyond it begins a new history: numbers are not given twice. */
const mostNumbers = 2 ** 29;
/** Of the file, before the numbers. */
const headBytes = 65_536;
const pieceCells = 16_384;
/** Then a new history begins: each takes some 40 bytes of the head. */
const mostRuns = 1_000;
const notOurs = `${historyName} is not of this dataset, or damaged`;

const headSchema = z.object({
  version: z.literal(1),
  hash: z.string(),
  cells: z.int().min(0),
  /** The largest of the numbers. */
  last: z.int().min(0),
  runs: z.array(z.object({ from: z.int().min(1), run: z.int().min(0) })).readonly(),
  /** Of the fields above and the numbers: what the storage has damaged must not accuse it of anything else. */
  crc32: z.int().min(0),
});
type Head = z.infer<typeof headSchema>;

/**
 * Which write to every block of the agent's files was the last: of this run, and as far as the dataset tells of the runs
 * before. It is kept with the dataset, and only as long as it is true: from before a stage that writes until after it there
 * is none.
 */
export class WriteHistory {
  /** As Generations has it. */
  readonly buffer: SharedArrayBuffer;
  runs: readonly RunOfWrites[];
  readonly #cells: Int32Array;
  readonly #run: number;
  readonly #hash: string;

  private constructor(cells: number, run: number, hash: string) {
    this.buffer = new SharedArrayBuffer((cells + 1) * 4);
    this.#cells = new Int32Array(this.buffer);
    this.#run = run;
    this.#hash = hash;
    this.runs = [{ from: 1, run }];
  }

  /**
   * undefined when it cannot be known: several agents write to the same files, or they are too many.
   * @param run key of this run
   */
  static of(assignment: Assignment, run: number): WriteHistory | undefined {
    const { dataset, namespace, agentCount, mode } = assignment;
    if (!dataset.verify || mode !== 'run') return undefined;
    if (namespace === 'shared' && agentCount > 1) return undefined;
    const cells = unitsPerFile(dataset.fileSizeBytes) * (dataset.use.to - dataset.use.from);
    if (cells > mostGenerations) return undefined;
    return new WriteHistory(cells, run >>> 0, dataset.hash);
  }

  /**
   * Takes over what the runs before have left in the working directory.
   * @returns why nothing is known of them although they have left something
   */
  async load(): Promise<string | undefined> {
    let file: FileHandle | undefined;
    try {
      file = await open(historyName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      return await this.#read(file);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined;
      this.#cells.fill(0);
      return `${historyName}: ${reasonOf(error)}`;
    } finally {
      await file?.close();
    }
  }

  async #read(file: FileHandle): Promise<string | undefined> {
    const head = await headOf(file);
    if (head?.hash !== this.#hash || head.cells !== this.#cells.length - 1) {
      return notOurs;
    }
    if (head.last > mostNumbers) return undefined;
    let crc = 0;
    for (let at = 0; at < head.cells; at += pieceCells) {
      const piece = new Int32Array(Math.min(pieceCells, head.cells - at));
      const bytes = new Uint8Array(piece.buffer);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, headBytes + at * 4);
      if (bytesRead < bytes.length) throw new Error('is cut short');
      crc = crc32(bytes, crc);
      if (piece.some((cell) => cell !== 0)) this.#cells.set(piece, 1 + at);
    }
    if (crcOf(head, crc) !== head.crc32) throw new Error('is damaged');
    this.#cells[0] = head.last;
    this.runs = [...head.runs, { from: head.last + 1, run: this.#run }];
    return undefined;
  }

  /** Whether the dataset is small enough for it, and the file has room for one more run. */
  get isKept(): boolean {
    return this.#cells.length - 1 <= mostKept && this.runs.length <= mostRuns;
  }

  /**
   * Leaves it in the working directory, for what has been written and forced out.
   * @throws a system error, or why `signal` was aborted; then none is left
   */
  async keep(signal: AbortSignal): Promise<void> {
    const fresh = `${historyName}.new`;
    try {
      const file = await open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644);
      try {
        await this.#write(file, signal);
      } finally {
        await file.close();
      }
      await rename(fresh, historyName);
    } catch (error) {
      await rm(fresh, { force: true });
      throw error;
    }
  }

  async #write(file: FileHandle, signal: AbortSignal): Promise<void> {
    const cells = this.#cells.length - 1;
    let last = 0;
    let crc = 0;
    await file.truncate(headBytes + cells * 4);
    for (let at = 0; at < cells; at += pieceCells) {
      const piece = this.#cells.slice(1 + at, Math.min(1 + at + pieceCells, cells + 1));
      let isEmpty = true;
      signal.throwIfAborted();
      for (let i = 0; i < piece.length; i++) {
        const cell = piece[i] ?? 0;
        if (inDoubt(cell)) piece[i] = 0;
        else if (cell !== 0) {
          isEmpty = false;
          last = Math.max(last, cell);
        }
      }
      const bytes = new Uint8Array(piece.buffer);
      crc = crc32(bytes, crc);
      // What nobody has written takes no room.
      if (!isEmpty) await file.write(bytes, 0, undefined, headBytes + at * 4);
    }
    const head = { version: 1, hash: this.#hash, cells, last, runs: this.runs } as const;
    const full: Head = { ...head, crc32: crcOf(head, crc) };
    await file.write(JSON.stringify(full).padEnd(headBytes), 0);
    await file.datasync();
  }
}

function crcOf({ hash, cells, last, runs }: Omit<Head, 'crc32'>, numbers: number): number {
  const fields = [hash, cells, last, runs.map(({ from, run }) => [from, run])];
  return crc32(JSON.stringify(fields), numbers);
}

/** undefined: what stands there is something else. */
async function headOf(file: FileHandle): Promise<Head | undefined> {
  const bytes = Buffer.alloc(headBytes);
  await file.read(bytes, 0, headBytes, 0);
  try {
    return headSchema.safeParse(JSON.parse(bytes.toString())).data;
  } catch {
    return undefined;
  }
}
