/**
 * Sizes, durations and counts as people write them. All arithmetic is on decimal digits, so `1.1GB` is exactly
 * 1 100 000 000 bytes and nothing is rounded: what is not a whole number of the unit is refused.
 */
export type Parsed = { readonly value: number } | { readonly problem: string };

const sizeUnits: ReadonlyMap<string, bigint> = new Map([
  ['', 1n],
  ['b', 1n],
  ...['k', 'm', 'g', 't', 'p'].flatMap((letter, index): [string, bigint][] => [
    [`${letter}b`, 1000n ** BigInt(index + 1)],
    [`${letter}ib`, 1024n ** BigInt(index + 1)],
  ]),
]);

/** In nanoseconds. */
const durationUnits: ReadonlyMap<string, bigint> = new Map([
  ['ns', 1n],
  ['us', 1_000n],
  ['µs', 1_000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3_600_000_000_000n],
  ['d', 86_400_000_000_000n],
]);

const numeral = /^(\d+(?:_\d+)*)(?:\.(\d+))?(?:[eE]\+?(\d{1,2}))?$/;

/** numeral × unit as an exact integer, or undefined when it is not whole. The numeral has passed `numeral`. */
function exact(text: string, unit: bigint): bigint | undefined {
  const match = numeral.exec(text);
  if (match === null) return undefined;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const digits = BigInt(whole.replaceAll('_', '') + fraction) * unit * 10n ** BigInt(exponent);
  const divisor = 10n ** BigInt(fraction.length);
  return digits % divisor === 0n ? digits / divisor : undefined;
}

/** @param what is counted, such as ` of bytes`; '' where nothing in particular is */
function safe(value: bigint | undefined, input: unknown, what: string): Parsed {
  if (value === undefined) return { problem: `${quote(input)} is not a whole number${what}` };
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) return { problem: `${quote(input)} is too large` };
  return { value: Number(value) };
}

function quote(input: unknown): string {
  return typeof input === 'string' ? `"${input}"` : String(input);
}

/** Bytes: `4KiB` (1024), `4KB` (1000), `1.5GiB`, `4096`. Upper and lower case mean the same. */
export function parseSize(input: string | number): Parsed {
  const wrong = { problem: `${quote(input)} is not a size; write it like 4KiB, 1MB or 4096` };
  const match = /^([\d._]+(?:[eE]\+?\d+)?)\s*([A-Za-z]*)$/.exec(String(input).trim());
  const [, number = '', suffix = ''] = match ?? [];
  if (!numeral.test(number)) return wrong;
  if (/^[kmgtp]i?$/i.test(suffix)) {
    const letter = suffix.charAt(0).toUpperCase();
    return {
      problem: `${quote(input)} is ambiguous; write ${letter}B (powers of 1000) or ${letter}iB (powers of 1024)`,
    };
  }
  const unit = sizeUnits.get(suffix.toLowerCase());
  return unit === undefined ? wrong : safe(exact(number, unit), input, ' of bytes');
}

/** A number of things: `64`, `1e6`, `1_000_000`. */
export function parseCount(input: string | number): Parsed {
  const text = String(input).trim();
  if (!numeral.test(text)) {
    return { problem: `${quote(input)} is not a count; write it like 64, 1e6 or 1_000_000` };
  }
  return safe(exact(text, 1n), input, '');
}

/** A number with up to three decimals: `20000`, `0.5`, `1e6`. */
export function parseDecimal(input: string | number): Parsed {
  const text = String(input).trim();
  if (!numeral.test(text)) {
    return { problem: `${quote(input)} is not a number; write it like 20000, 0.5 or 1e6` };
  }
  const thousandths = safe(exact(text, 1000n), input, ' of thousandths');
  return 'problem' in thousandths ? thousandths : { value: thousandths.value / 1000 };
}

/** Nanoseconds: `250us`, `5 ms`, `1m30s`; a bare number only when it is 0. */
export function parseDurationNs(input: string | number): Parsed {
  return parseTime(input, 1n, ' of nanoseconds');
}

/** Milliseconds. */
export function parseDuration(input: string | number): Parsed {
  return parseTime(input, 1_000_000n, ' of milliseconds');
}

function parseTime(input: string | number, unitNs: bigint, what: string): Parsed {
  const text = String(input).trim();
  if (text === '0') return { value: 0 };
  const wrong = {
    problem: `${quote(input)} is not a duration; write it like 500ms, 60s, 5m or 1h`,
  };
  if (numeral.test(text)) {
    return { problem: `${quote(input)} has no unit; write ${text}s or ${text}ms` };
  }
  if (!/^[\d._]+ ?[a-zµ]+(?: ?[\d._]+ ?[a-zµ]+)*$/.test(text)) return wrong;
  let totalNs = 0n;
  for (const [, number = '', suffix = ''] of text.matchAll(/([\d._]+) ?([a-zµ]+)/g)) {
    const unit = durationUnits.get(suffix);
    if (unit === undefined || !numeral.test(number)) return wrong;
    const part = exact(number, unit);
    if (part === undefined) return safe(undefined, input, what);
    totalNs += part;
  }
  return safe(totalNs % unitNs === 0n ? totalNs / unitNs : undefined, input, what);
}

function largest(value: number, units: readonly (readonly [string, number])[]): string {
  for (const [name, size] of units) {
    if (value !== 0 && value % size === 0) return `${String(value / size)}${name}`;
  }
  return `${String(value)}${units.at(-1)?.[0] ?? ''}`;
}

/** The shortest exact spelling, which parseSize reads back: 1048576 → `1MiB`. */
export function formatSize(bytes: number): string {
  const binary = ['PiB', 'TiB', 'GiB', 'MiB', 'KiB'].map(
    (name, i) => [name, 1024 ** (5 - i)] as const,
  );
  const decimal = ['PB', 'TB', 'GB', 'MB', 'KB'].map((name, i) => [name, 1000 ** (5 - i)] as const);
  return largest(bytes, [...binary, ...decimal, ['B', 1]]);
}

/** The shortest exact spelling, which parseDuration reads back: 90000 → `90s`. */
export function formatDuration(ms: number): string {
  return largest(
    ms,
    longUnits.map(([name, size]) => [name, size / 1e6]),
  );
}

/** As formatDuration, of nanoseconds; parseDurationNs reads it back. */
export function formatDurationNs(ns: number): string {
  return largest(ns, [...longUnits, ['us', 1e3], ['ns', 1]]);
}

const longUnits: readonly (readonly [string, number])[] = [
  ['d', 86_400e9],
  ['h', 3_600e9],
  ['m', 60e9],
  ['s', 1e9],
  ['ms', 1e6],
];

/** `43 707`: a whole number in groups of three digits. */
export function grouped(value: number): string {
  return String(value).replace(/(?<=\d)(?=(\d{3})+$)/g, ' ');
}
