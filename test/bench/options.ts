import fs from 'node:fs';
import { parseArgs } from 'node:util';

export interface Asked {
  /** undefined: all rows. */
  readonly only: ReadonlySet<string> | undefined;
  readonly pairs: number;
  readonly seconds: number;
  readonly target: string | undefined;
}

/** @throws Error that says which option is wrong and what it may be */
export function parseOptions(args: readonly string[], rows: ReadonlySet<string>): Asked {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: 'string' },
      pairs: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '3' },
      target: { type: 'string' },
    },
  });
  const only = values.only?.split(',').map((row) => row.trim());
  const unknown = only?.find((row) => !rows.has(row));
  if (unknown !== undefined) {
    throw new Error(`--only: no row "${unknown}"; there are ${[...rows].toSorted().join(', ')}`);
  }
  return {
    only: only && new Set(only),
    pairs: atLeast('pairs', 1, values.pairs),
    // CPU time is taken of the whole seconds between the first and the last.
    seconds: atLeast('seconds', 3, values.seconds),
    target: values.target && folder(values.target),
  };
}

function folder(target: string): string {
  if (fs.statSync(target, { throwIfNoEntry: false })?.isDirectory() === true) return target;
  throw new Error(`--target: ${target} is no folder: make it, or leave the option out`);
}

function atLeast(name: string, least: number, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new Error(`--${name}: "${text}" is not a whole number of at least ${String(least)}`);
  }
  return value;
}
