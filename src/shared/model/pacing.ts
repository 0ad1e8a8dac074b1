/** When a stage's operations are issued, what is measured of them, and which errors end it. */
import { formatDurationNs, formatSize, parseDecimal, parseSize } from './units.js';
import type { OperationKind } from './operation.js';
import type { Parsed } from './units.js';

/** `constant`: evenly spaced. `poisson`: exponentially distributed gaps, as from many independent users. */
export type Arrival = 'constant' | 'poisson';

/** One part of a rate's course, linear in time. Per second. */
export interface RateStep {
  readonly from: number;
  readonly to: number;
}

/**
 * The open loop's rate, of the whole run: the steps follow each other in equal parts of the stage's duration. One step
 * with `from` = `to` is a constant rate. Before the first and after the last step their ends go on.
 */
export interface Rate {
  readonly unit: 'operations' | 'bytes';
  readonly steps: readonly RateStep[];
}

/** Of a stage; the same in the plan and in an assignment. */
export interface Pacing {
  /** undefined: closed loop, each operation follows the one before. */
  readonly rate: Rate | undefined;
  readonly arrival: Arrival;
  /** Closed loop: pause between an operation and the next one of the same lane. */
  readonly thinkTimeNs: number;
  /** Load from T0 on that is reported apart; the stage's limits begin to count after it. */
  readonly warmupMs: number;
  /** Share of failed operations, 0 … 1, above which an agent fails; undefined: never. */
  readonly maxErrorRate: number | undefined;
  /** Operations whose first error fails the agent. */
  readonly stopOn: readonly OperationKind[];
}

export const unpaced: Pacing = {
  rate: undefined,
  arrival: 'constant',
  thinkTimeNs: 0,
  warmupMs: 0,
  maxErrorRate: undefined,
  stopOn: [],
};

/** Its course needs a duration to be laid over. */
export function isConstant({ steps }: Rate): boolean {
  const [first, ...others] = steps;
  return others.length === 0 && first?.from === first?.to;
}

/** Mean over the duration, per second. */
export function meanRate({ steps }: Rate): number {
  return steps.reduce((sum, { from, to }) => sum + (from + to) / 2, 0) / steps.length;
}

export type ParsedRate = { readonly unit: Rate['unit']; readonly value: number };

const example = 'write it like 20000/s or 0.5/s (operations) or 500MB/s (bytes)';

/** `20000/s` or, to the thousandth, `0.5/s` in operations; `500MB/s` in whole bytes. Blanks as in sizes. */
export function parseRate(input: string | number): ParsedRate | { readonly problem: string } {
  const text = String(input).trim();
  const match = /^(.+?)\s*\/\s*s$/.exec(text);
  if (match === null) return { problem: `"${text}" is not a rate; ${example}` };
  const [, amount = ''] = match;
  const isBytes = /[A-Za-z]$/.test(amount);
  const parsed: Parsed = isBytes ? parseSize(amount) : parseDecimal(amount);
  if ('problem' in parsed) return { problem: `"${text}" is not a rate; ${example}` };
  return { unit: isBytes ? 'bytes' : 'operations', value: parsed.value };
}

/** Of a part of a rate or of a mean: no more digits than are worth reading. */
export function formatMeanRate(value: number, unit: Rate['unit']): string {
  const isWhole = unit === 'bytes' || value >= 100;
  return formatRate(isWhole ? Math.round(value) : Number(value.toPrecision(3)), unit);
}

/** As parseRate reads it. */
export function formatRate(value: number, unit: Rate['unit']): string {
  return `${unit === 'bytes' ? formatSize(value) : String(value)}/s`;
}

/** The keys of a stage in the words of the config; those that say nothing are left out. */
export function pacingAsConfig(pacing: Pacing): Readonly<Record<string, unknown>> {
  const { rate, arrival, thinkTimeNs, warmupMs, maxErrorRate, stopOn } = pacing;
  return {
    rate: rate && rateAsConfig(rate),
    arrival: rate && arrival,
    think_time: thinkTimeNs > 0 ? formatDurationNs(thinkTimeNs) : undefined,
    warmup: warmupMs > 0 ? formatDurationNs(warmupMs * 1e6) : undefined,
    max_error_rate: maxErrorRate === undefined ? undefined : formatPercent(maxErrorRate),
    error_policy:
      stopOn.length === 0 ? undefined : Object.fromEntries(stopOn.map((kind) => [kind, 'stop'])),
  };
}

function rateAsConfig(rate: Rate): unknown {
  const print = (value: number): string => formatRate(value, rate.unit);
  const [first = { from: 0, to: 0 }, ...others] = rate.steps;
  if (others.length > 0) return rate.steps.map(({ from }) => print(from));
  return isConstant(rate) ? print(first.from) : { from: print(first.from), to: print(first.to) };
}

/** 0.015 → `1.5%`, which the config reads back. */
export function formatPercent(share: number): string {
  return `${String(Math.round(share * 1e6) / 1e4)}%`;
}
