/**
 * Building blocks of the config schema. Each field carries its bounds and unit as zod metadata, next to the check that
 * enforces them: `docs/config.md` and the JSON Schema are made from there.
 */
import { z } from 'zod';
import { formatDuration, formatSize, parseCount, parseDuration, parseSize } from '../units.js';
import type { Parsed } from '../units.js';

/** What zod's metadata holds for a key. */
export interface KeyMeta {
  readonly description?: string;
  readonly unit?: string;
  readonly bounds?: string;
  /** The default in words, when it is not one fixed value. */
  readonly fallback?: string;
}

interface Range {
  readonly min: number;
  readonly max: number;
}

export function quantity(
  parse: (input: string | number) => Parsed,
  print: (value: number) => string,
  { min, max }: Range,
  what: string,
) {
  return z
    .union([z.string(), z.number()], { error: `must be ${what}` })
    .transform((input, context) => {
      const parsed = parse(input);
      const problem =
        'problem' in parsed
          ? parsed.problem
          : parsed.value < min
            ? `${print(parsed.value)} is too little; at least ${print(min)}`
            : parsed.value > max
              ? `${print(parsed.value)} is too much; at most ${print(max)}`
              : undefined;
      if (problem === undefined && 'value' in parsed) return parsed.value;
      context.addIssue({ code: 'custom', message: problem ?? 'is not valid' });
      return z.NEVER;
    });
}

const bounds = (print: (value: number) => string, { min, max }: Range): string =>
  `${print(min)} … ${print(max)}`;

/** Bytes. */
export const size = (range: Range) =>
  quantity(parseSize, formatSize, range, 'a size such as 4KiB, 1MB or 4096').meta({
    unit: 'size',
    bounds: bounds(formatSize, range),
  });

/** Milliseconds. */
export const duration = (range: Range) =>
  quantity(parseDuration, formatDuration, range, 'a duration such as 500ms, 60s or 5m').meta({
    unit: 'duration',
    bounds: bounds(formatDuration, range),
  });

export const count = (range: Range) =>
  quantity(parseCount, printCount, range, 'a count such as 64, 1e6 or 1_000_000').meta({
    unit: 'count',
    bounds: bounds(printCount, range),
  });

/** The limit depends on limits.concurrency and has a sentence of its own (check-stages). */
export const threads = () =>
  count({ min: 1, max: 1e9 }).meta({
    unit: 'count',
    bounds: '1 … 256, and at most `limits.concurrency`',
  });

/** 1000000 → `1e6`, 64 → `64`. */
function printCount(value: number): string {
  const zeros = /0{6,}$/.exec(String(value))?.[0].length ?? 0;
  return zeros === 0 ? String(value) : `${String(value).slice(0, -zeros)}e${String(zeros)}`;
}

/** `20%`, as the number 20. */
export const percentage = () =>
  z
    .string({ error: 'must be a percentage such as 20%' })
    .regex(/^\d{1,3}(?:\.\d{1,6})?%$/, { error: 'must be a percentage such as 20%' })
    .transform((text) => Number(text.slice(0, -1)))
    .refine((percent) => percent > 0 && percent <= 100, {
      error: 'must be more than 0% and at most 100%',
    })
    .meta({ unit: 'percentage', bounds: 'above 0%, at most 100%' });

export const flag = () => z.boolean({ error: 'must be true or false' });

export const choice = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

/** A name that is safe as a file name and on a command line. */
export const label = () =>
  z
    .string({ error: 'must be text' })
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
      error: 'must be 1 … 64 letters, digits, ".", "_" or "-", and begin with a letter or digit',
    })
    .meta({ unit: 'name', bounds: '1 … 64 characters' });

export const TiB = 1024 ** 4;
export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;
export const day = 24 * hour;
