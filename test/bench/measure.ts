/** One side's figures in one run. */
export interface Figures {
  readonly perSecond: number;
  /** CPU time of all threads of the load, user and system. */
  readonly cpuNsPerOperation: number;
  readonly p50Ns: number;
  readonly p99Ns: number;
}

export type Measure = () => Promise<Figures>;

export interface Pair<T = Figures> {
  readonly ours: T;
  readonly theirs: T;
}

/** Alternates the two sides, and which of them begins, so that a drift of the machine hurts both alike. */
export async function measurePairs<T>(
  count: number,
  ours: () => Promise<T>,
  theirs: () => Promise<T>,
): Promise<readonly Pair<T>[]> {
  const pairs: Pair<T>[] = [];
  for (let i = 0; i < count; i++) {
    if (i % 2 === 0) {
      const mine = await ours();
      pairs.push({ ours: mine, theirs: await theirs() });
    } else {
      const other = await theirs();
      pairs.push({ ours: await ours(), theirs: other });
    }
  }
  return pairs;
}

export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] = [sorted[0], sorted.at(-1)];
  const upper = sorted[middle] ?? 0;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
  return { median, low, high };
}

export function ratio(text: Spread, digits = 2): string {
  const [median, low, high] = [text.median, text.low, text.high].map((n) => n.toFixed(digits));
  return `${median ?? ''} (${low ?? ''} … ${high ?? ''})`;
}

/** 1234567 → 1.23 M */
export function count(n: number): string {
  if (n >= 1e6) return `${(n / 1e6).toFixed(2)} M`;
  return n >= 1e3 ? `${(n / 1e3).toFixed(1)} k` : n.toFixed(0);
}
