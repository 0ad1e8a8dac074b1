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
}

interface FioDirection {
  readonly io_bytes: number;
  readonly total_ios: number;
  readonly runtime: number;
  readonly lat_ns: { readonly bins?: Readonly<Record<string, number>> };
}

function statusOf({ jobs }: FioDocument): FioStatus {
  const kinds = new Map<OperationKind, FioCounters>();
  for (const kind of ['read', 'write'] as const) {
    const bins = new Map<number, number>();
    for (const job of jobs) {
      for (const [ns, count] of Object.entries(job[kind].lat_ns.bins ?? {})) {
        bins.set(Number(ns), (bins.get(Number(ns)) ?? 0) + count);
      }
    }
    kinds.set(kind, {
      bytes: sum(jobs, (job) => job[kind].io_bytes),
      issued: sum(jobs, (job) => job[kind].total_ios),
      bins,
    });
  }
  return {
    kinds,
    errors: sum(jobs, (job) => job.total_err ?? 0),
    firstErrno: jobs.map((job) => job.first_error ?? job.error).find((errno) => errno !== 0) ?? 0,
    runtimeMs: Math.max(0, ...jobs.flatMap((job) => [job.read.runtime, job.write.runtime])),
  };
}

function sum(jobs: readonly FioJob[], pick: (job: FioJob) => number): number {
  return jobs.reduce((total, job) => total + pick(job), 0);
}
