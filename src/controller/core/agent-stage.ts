import { addBuckets, noBuckets } from '../../shared/metrics/buckets.js';
import type { Interval, StageResult } from '../../shared/model/messages.js';
import type { OperationKind } from '../../shared/model/operation.js';
import { CpuUse } from './cpu-use.js';
import { GeneratorRows } from './generator-rows.js';
import { headline } from './decoded-interval.js';
import type { DecodedStats } from './decoded-interval.js';
import { intervalRows } from './interval-rows.js';
import type { IntervalRow } from './interval-rows.js';
import { IntervalTable } from './interval-table.js';
import { latencyOfBuckets, p99Of } from './latency.js';
import { OperationTotals } from './operation-totals.js';
import { RangeSet } from './range-set.js';

/** All operations of one interval together, for the live view. */
export interface RecentInterval {
  readonly first: number;
  readonly last: number;
  readonly count: number;
  readonly bytes: number;
  readonly p99Ns: number | undefined;
}

const recentKept = 8;

/** All that is known of one agent in one stage. */
export class AgentStage {
  readonly held = new RangeSet();
  readonly cpu: CpuUse;
  readonly generator = new GeneratorRows();
  readonly totals = new Map<OperationKind, OperationTotals>();
  /** The newest whole seconds of load, in order. */
  readonly recent: RecentInterval[] = [];
  readonly #tables = new Map<OperationKind, IntervalTable>();
  start: { readonly latenessNs: number; readonly boundNs: number } | undefined;
  result: StageResult | undefined;
  /** Of the agent, that make the load. */
  readonly threads: number;
  readonly #openLoop: boolean;
  readonly #wholeSeconds: number;

  /** @param wholeSeconds of load, when that is known: in those after them operations only end */
  constructor(openLoop: boolean, threads: number, wholeSeconds = Infinity) {
    this.#openLoop = openLoop;
    this.#wholeSeconds = wholeSeconds;
    this.threads = threads;
    this.cpu = new CpuUse(openLoop, threads);
  }

  get hasReported(): boolean {
    return this.held.end > 0 || this.result !== undefined;
  }

  /**
   * False when some of its seconds are held already: nothing is counted twice. `operations` are the interval's;
   * `folded`: into the totals only.
   */
  addInterval(interval: Interval, operations: readonly DecodedStats[], folded: boolean): boolean {
    const newest = interval.first >= this.held.end;
    if (!this.held.add(interval.first, interval.last)) return false;
    const bytesBefore = this.#sum((totals) => totals.bytes);
    for (const decoded of operations) {
      const { stats, service, response, failed } = decoded;
      if (!this.result) this.#totalsOf(stats.operation).addInterval(decoded, newest);
      if (folded) continue;
      this.#tableOf(stats.operation).push({
        first: interval.first,
        last: interval.last,
        totalCount: stats.count,
        totalBytes: stats.bytes,
        totalErrors: stats.errors.reduce((sum, error) => sum + error.count, 0),
        count: service.total,
        errors: failed.total,
        latency: latencyOfBuckets(service),
        response: this.#openLoop ? latencyOfBuckets(response) : null,
        totalMissed: stats.missedSchedules,
        inFlight: interval.inFlight,
        oldestInFlightNs: interval.oldestInFlightNs,
      });
    }
    this.cpu.add(interval);
    if (!folded) this.generator.push(interval);
    if (newest && !this.result && interval.first < this.#wholeSeconds) {
      const all = operations.map((one) => headline(one)).reduce(addBuckets, noBuckets);
      this.recent.push({
        first: interval.first,
        last: interval.last,
        count: operations.reduce((sum, { service }) => sum + service.total, 0),
        bytes: this.#sum((totals) => totals.bytes) - bytesBefore,
        p99Ns: p99Of(all),
      });
      if (this.recent.length > recentKept) this.recent.shift();
    }
    return true;
  }

  setResult(result: StageResult): void {
    this.result = result;
    for (const stats of result.operations) this.#totalsOf(stats.operation).setResult(stats);
  }

  get count(): number {
    return this.#sum((totals) => totals.count);
  }

  get bytes(): number {
    return this.#sum((totals) => totals.bytes);
  }

  get errors(): number {
    return this.#sum((totals) => totals.errorCount);
  }

  /** The agent's time line of the operation; its sum is the agent's total. */
  *rows(operation: OperationKind): Generator<IntervalRow> {
    const totals = this.totals.get(operation);
    if (!totals) return;
    yield* intervalRows(this.#tableOf(operation), {
      count: totals.count,
      bytes: totals.bytes,
      errors: totals.errorCount,
      missed: totals.missedSchedules,
      seconds: this.result?.intervals ?? 0,
    });
  }

  /** Seconds the agent sampled, as it said or as was seen, of which no interval arrived. */
  get missingSeconds(): number {
    return Math.max(this.result?.intervals ?? 0, this.held.end) - this.held.seconds;
  }

  #sum(pick: (totals: OperationTotals) => number): number {
    let sum = 0;
    for (const totals of this.totals.values()) sum += pick(totals);
    return sum;
  }

  #totalsOf(operation: OperationKind): OperationTotals {
    let totals = this.totals.get(operation);
    if (!totals) this.totals.set(operation, (totals = new OperationTotals()));
    return totals;
  }

  #tableOf(operation: OperationKind): IntervalTable {
    let table = this.#tables.get(operation);
    if (!table) this.#tables.set(operation, (table = new IntervalTable(this.#openLoop)));
    return table;
  }
}
