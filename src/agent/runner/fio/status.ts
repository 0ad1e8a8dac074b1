import type { OperationKind } from '../../../shared/model/operation.js';

/** What fio has done since it began, of one kind. */
export interface FioCounters {
  readonly bytes: number;
  readonly issued: number;
  /** Completed operations by latency in ns (the middle of fio's bucket). */
  readonly bins: ReadonlyMap<number, number>;
}

export interface FioStatus {
  readonly kinds: ReadonlyMap<OperationKind, FioCounters>;
  /** Of fsync and fdatasync by latency, as `bins`; what end_fsync does is not among them. */
  readonly syncs: ReadonlyMap<number, number>;
  readonly errors: number;
  /** errno of the first one; 0: none. */
  readonly firstErrno: number;
  /** Until the last operation of the slowest thread. */
  readonly runtimeMs: number;
}

/** fio's standard output, in pieces: JSON documents, each on lines of its own, and between them what it tells people. */
export class FioOutput {
  readonly #onStatus: (status: FioStatus) => void;
  readonly #onLine: (line: string) => void;
  #rest = '';
  #document: string[] | undefined;

  constructor(onStatus: (status: FioStatus) => void, onLine: (line: string) => void) {
    this.#onStatus = onStatus;
    this.#onLine = onLine;
  }

  /** @throws Error when a document is not what fio writes */
  feed(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (this.#document === undefined) {
      if (line === '{') this.#document = [line];
      else if (line.trim() !== '') this.#onLine(line.trim());
      return;
    }
    this.#document.push(line);
    if (line !== '}') return;
    const text = this.#document.join('\n');
    this.#document = undefined;
    this.#onStatus(statusOf(JSON.parse(text) as FioDocument));
  }
}

/** The parts of `fio --output-format=json+` that count here. */
interface FioDocument {
  readonly jobs: readonly FioJob[];
}

interface FioJob {
  readonly error: number;
  readonly total_err?: number;
  readonly first_error?: number;
  readonly read: FioDirection;
  readonly write: FioDirection;
  readonly sync?: FioLatencies;
}

interface FioLatencies {
  readonly lat_ns: { readonly bins?: Readonly<Record<string, number>> };
}

interface FioDirection extends FioLatencies {
  readonly io_bytes: number;
  readonly total_ios: number;
  readonly runtime: number;
}

function statusOf({ jobs }: FioDocument): FioStatus {
  const kinds = new Map<OperationKind, FioCounters>();
  for (const kind of ['read', 'write'] as const) {
    kinds.set(kind, {
      bytes: sum(jobs, (job) => job[kind].io_bytes),
      issued: sum(jobs, (job) => job[kind].total_ios),
      bins: merged(jobs.map((job) => job[kind])),
    });
  }
  return {
    kinds,
    syncs: merged(jobs.flatMap(({ sync }) => sync ?? [])),
    errors: sum(jobs, (job) => job.total_err ?? 0),
    firstErrno: jobs.map((job) => job.first_error ?? job.error).find((errno) => errno !== 0) ?? 0,
    runtimeMs: Math.max(0, ...jobs.flatMap((job) => [job.read.runtime, job.write.runtime])),
  };
}

function merged(all: readonly FioLatencies[]): ReadonlyMap<number, number> {
  const merged = new Map<number, number>();
  for (const { lat_ns: latencies } of all) {
    for (const [ns, count] of Object.entries(latencies.bins ?? {})) {
      merged.set(Number(ns), (merged.get(Number(ns)) ?? 0) + count);
    }
  }
  return merged;
}

function sum(jobs: readonly FioJob[], pick: (job: FioJob) => number): number {
  return jobs.reduce((total, job) => total + pick(job), 0);
}
