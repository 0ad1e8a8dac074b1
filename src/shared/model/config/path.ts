/** Where in the config something is, and what is wrong there. */
export type KeyPath = readonly (string | number)[];

export interface Problem {
  readonly path: KeyPath;
  /** Without the path: `unknown key; did you mean "threads"?` */
  readonly message: string;
  /** The problem is the key, not its value: the position is that of the key. */
  readonly atKey?: boolean;
}

/** `stages[0].threads`. */
export function printPath(path: KeyPath): string {
  return path
    .map((step, i) =>
      typeof step === 'number' ? `[${String(step)}]` : i === 0 ? step : `.${step}`,
    )
    .join('');
}

/** What stands at `path` in plain data, or undefined. */
export function valueAt(raw: unknown, path: KeyPath): unknown {
  let value = raw;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step))
      return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

export function startsWith(path: KeyPath, prefix: KeyPath): boolean {
  return prefix.every((step, i) => path[i] === step);
}
