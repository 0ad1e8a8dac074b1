import os from 'node:os';
import { Histogram } from '../../../shared/metrics/histogram.js';
import type { OperationStats } from '../../../shared/model/messages.js';
import type { OperationKind } from '../../../shared/model/operation.js';
import type { FioCounters, FioStatus } from './status.js';

const empty = new Uint8Array();
const none: ReadonlyMap<number, number> = new Map();

/**
 * fio's cumulative counters as ours. A completed operation is one that is in fio's latency buckets, whose middles go
 * into our histogram: fio keeps 64 buckets per power of two, so values are within 0.8 % of the true ones.
 */
export class FioCounts {
  readonly #kinds: readonly OperationKind[];
  readonly #bytesOf: (kind: OperationKind) => number | undefined;
  #sampled = new Map<OperationKind, ReadonlyMap<number, number>>();
  #latest: FioStatus | undefined;

  /** @param bytesOf what each operation of a kind moves; undefined: they differ */
  constructor(
    kinds: readonly OperationKind[],
    bytesOf: (kind: OperationKind) => number | undefined = () => undefined,
  ) {
    this.#kinds = kinds;
    this.#bytesOf = bytesOf;
  }

  take(status: FioStatus): void {
    this.#latest = status;
  }

  /** Counters until now, latencies since the last sample. */
  sample(): readonly OperationStats[] {
    const stats = this.#stats((kind) => this.#sampled.get(kind) ?? none);
    for (const kind of this.#kinds) this.#sampled.set(kind, this.#of(kind)?.bins ?? none);
    return stats;
  }

  totals(): readonly OperationStats[] {
    return this.#stats(() => none);
  }

  /** How long syncs took, which fio does not count to the writes they follow; empty without any. */
  syncs(): Uint8Array {
    return difference(this.#latest?.syncs ?? none, none);
  }

  /** Completed or failed. */
  get ended(): number {
    return this.#done + this.failed;
  }

  get failed(): number {
    return this.#latest?.errors ?? 0;
  }

  get inFlight(): number {
    const issued = this.#kinds.reduce((sum, kind) => sum + (this.#of(kind)?.issued ?? 0), 0);
    return Math.max(0, issued - this.ended);
  }

  /** ns of the stage until the last operation. */
  get runtimeNs(): number {
    return (this.#latest?.runtimeMs ?? 0) * 1e6;
  }

  get #done(): number {
    return this.#kinds.reduce((sum, kind) => sum + countOf(this.#of(kind)?.bins ?? none), 0);
  }

  #of(kind: OperationKind): FioCounters | undefined {
    return this.#latest?.kinds.get(kind);
  }

  #stats(before: (kind: OperationKind) => ReadonlyMap<number, number>): OperationStats[] {
    return this.#kinds.map((operation, index) => {
      const { bins = none, bytes = 0 } = this.#of(operation) ?? {};
      const count = countOf(bins);
      const each = this.#bytesOf(operation);
      return {
        operation,
        count,
        // While it runs fio's bytes are behind its latencies, by up to an operation in each thread.
        bytes: each === undefined ? bytes : count * each,
        // fio counts errors for the job, not for reads and writes apart: they are listed with the first kind.
        errors: index === 0 ? this.#errors() : [],
        missedSchedules: 0,
        unissuedSchedules: 0,
        service: difference(bins, before(operation)),
        response: empty,
        failed: empty,
      };
    });
  }

  #errors(): OperationStats['errors'] {
    const { errors = 0, firstErrno = 0 } = this.#latest ?? {};
    return errors === 0 ? [] : [{ code: codeOf(firstErrno), count: errors }];
  }
}

function countOf(bins: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const count of bins.values()) sum += count;
  return sum;
}

function difference(
  now: ReadonlyMap<number, number>,
  before: ReadonlyMap<number, number>,
): Uint8Array {
  const histogram = new Histogram();
  for (const [ns, count] of now) {
    const more = count - (before.get(ns) ?? 0);
    if (more > 0) histogram.record(ns, more);
  }
  return histogram.encode();
}

function codeOf(errno: number): string {
  const known = Object.entries(os.constants.errno).find(([, number]) => number === errno);
  return known?.[0] ?? 'OTHER';
}
