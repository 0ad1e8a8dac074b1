import { bucketIndexOf } from '../../../src/shared/metrics/bucket-layout.js';
import { Histogram, mergeEncoded } from '../../../src/shared/metrics/histogram.js';
import type { Interval, OperationStats } from '../../../src/shared/model/messages.js';
import { SeededRandom } from '../../support/sim/random.js';

/** So many different seconds, which the agents report in turn. */
const variants = 32;
const blockBytes = 4096;
/** Of a lognormal distribution: most of the operations take 40 to 250 µs. */
const medianNs = 100_000;
const sigma = 0.5;

interface Second {
  readonly count: number;
  readonly service: Uint8Array;
}

/** What simulated agents report: made once, so that making it costs nothing while the controller is measured. */
export class SimulatedLoad {
  readonly #seconds: readonly Second[];

  /** @param buckets that each second's histogram fills */
  constructor(buckets: number, seed: number) {
    const random = new SeededRandom(seed);
    this.#seconds = Array.from({ length: variants }, () => secondWith(buckets, random));
  }

  /** Of all operations that a second has on average. */
  get operationsPerSecond(): number {
    return this.#seconds.reduce((sum, { count }) => sum + count, 0) / variants;
  }

  second(agent: number, index: number): Second {
    const second = this.#seconds[(agent * 7 + index) % variants];
    if (!second) throw new RangeError(`no second ${String(index)}`);
    return second;
  }
}

/** One agent's operations since the stage began. */
export class SimulatedTotals {
  #count = 0;
  #service: Uint8Array = new Uint8Array();

  get operations(): number {
    return this.#count;
  }

  add({ count, service }: Second): void {
    this.#count += count;
    this.#service = mergeEncoded(this.#service, service);
  }

  /** The counters with the histogram of a second, or of all. */
  stats(service: Uint8Array = this.#service): OperationStats {
    return {
      operation: 'read',
      count: this.#count,
      bytes: this.#count * blockBytes,
      errors: [],
      missedSchedules: 0,
      unissuedSchedules: 0,
      service,
      response: new Uint8Array(),
      failed: new Uint8Array(),
    };
  }
}

export function simulatedInterval(
  stage: number,
  index: number,
  operations: readonly OperationStats[],
): Interval {
  return {
    stage,
    first: index,
    last: index,
    operations,
    inFlight: 8,
    oldestInFlightNs: 90_000,
    sampledLateNs: 50_000,
    runnerCpu: 0.2,
    hostCpu: 0.25,
    runnerLoopDelayNs: 200_000,
    busiestThreadCpu: 0.1,
    lateWakeUps: 0,
    runnerGcNs: 0,
    controlLoopDelayNs: 0,
    controlGcNs: 0,
  };
}

function secondWith(buckets: number, random: SeededRandom): Second {
  const histogram = new Histogram();
  const filled = new Set<number>();
  let count = 0;
  for (; filled.size < buckets; count++) {
    const ns = Math.round(medianNs * Math.exp(sigma * normal(random)));
    histogram.record(ns);
    filled.add(bucketIndexOf(ns));
  }
  return { count, service: histogram.encode() };
}

/** Standard normal (Box and Muller, 1958). */
function normal(random: SeededRandom): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.next()));
  return radius * Math.cos(2 * Math.PI * random.next());
}
