/** XCHECK: are our latencies those of the storage? fio's own distribution of the same reads, and its own noise. */
import { onOneFile } from './file-rows.js';
import { spreadOf } from './measure.js';
import type { Figures, Spread } from './measure.js';
import type { BenchOptions, RowResult } from './row.js';

/** fio's buckets are 1/64 of a power of two wide: a percentile may be off by so much without any noise. */
const fioResolution = 1 / 64;

type Percentile = 'p50Ns' | 'p99Ns';

interface Compared {
  /** Of ours to the mean of fio's before and after. */
  readonly ratio: Spread;
  /** The largest ratio, above 1, of one fio run to the next. */
  readonly noise: number;
  readonly isWithin: boolean;
  /** Ours less fio's, ns: what is ours does not grow with the operation. */
  readonly moreNs: Spread;
}

/** fio, Muster, fio, Muster … fio: each run of ours has one of fio on either side. */
export function latencies(
  options: BenchOptions,
  direct: boolean,
  threads: number,
): Promise<RowResult> {
  const work = { stage: { threads, direct }, fio: { threads, direct } };
  return onOneFile(options, work, async ({ ours, theirs, mechanisms }) => {
    const mine: Figures[] = [];
    const fio = [await theirs()];
    for (let i = 0; i < options.pairs; i++) {
      mine.push(await ours());
      fio.push(await theirs());
    }
    const p50 = compare(mine, fio, 'p50Ns');
    const p99 = compare(mine, fio, 'p99Ns');
    const kind = direct ? '`direct`' : 'cached';
    const who = `${String(threads)} thread${threads > 1 ? 's' : ''}`;
    return {
      row: 'XCHECK',
      what: `latency of ${kind} 4 KiB random reads, ${who} (${[...mechanisms].join('; ')})`,
      ours: textOf(mine),
      theirs: `fio psync ${textOf(fio)}`,
      result: `p50 ${ratioText(p50.ratio)} ×, p99 ${ratioText(p99.ratio)} ×`,
      remark: `fio against fio: p50 up to ${p50.noise.toFixed(3)} ×, p99 up to ${p99.noise.toFixed(3)} ×; ours less fio's: p50 ${moreText(p50)}, p99 ${moreText(p99)}`,
      floor: 'within the noise between two fio runs',
      isMet: p50.isWithin && p99.isWithin,
    };
  });
}

function compare(
  ours: readonly Figures[],
  fio: readonly Figures[],
  percentile: Percentile,
): Compared {
  const theirs = fio.map((run) => run[percentile]);
  const around = (i: number): number => Math.sqrt((theirs[i] ?? NaN) * (theirs[i + 1] ?? NaN));
  const ratio = spreadOf(ours.map((run, i) => run[percentile] / around(i)));
  const steps = theirs.slice(1).map((value, i) => Math.abs(Math.log(value / (theirs[i] ?? NaN))));
  const noise = Math.exp(Math.max(...steps)) + fioResolution;
  const moreNs = spreadOf(ours.map((run, i) => run[percentile] - around(i)));
  return { ratio, noise, moreNs, isWithin: ratio.median <= noise && ratio.median >= 1 / noise };
}

function textOf(runs: readonly Figures[]): string {
  const median = (percentile: Percentile): string =>
    (spreadOf(runs.map((run) => run[percentile])).median / 1e3).toFixed(2);
  return `p50 ${median('p50Ns')} µs, p99 ${median('p99Ns')} µs`;
}

function ratioText({ median, low, high }: Spread): string {
  return `${median.toFixed(3)} (${low.toFixed(3)} … ${high.toFixed(3)})`;
}

function moreText({ moreNs }: Compared): string {
  return `${moreNs.median < 0 ? '' : '+'}${(moreNs.median / 1e3).toFixed(2)} µs`;
}
