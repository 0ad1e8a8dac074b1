/**
 * Parses what can be parsed: values that are wrong are left out, so that the checks of the rest can still run and all
 * problems are reported at once.
 */
import { flatten } from './explain.js';
import { valueAt } from './path.js';
import { configSchema } from './schema.js';
import type { FlatIssue } from './explain.js';
import type { KeyPath } from './path.js';
import type { Config } from './schema.js';

export interface PartlyParsed {
  readonly issues: readonly FlatIssue[];
  /** Undefined when too little is left to say more. */
  readonly config: Config | undefined;
  /** What was left out. */
  readonly broken: readonly KeyPath[];
}

export function parsePartly(data: unknown): PartlyParsed {
  const whole = configSchema.safeParse(data);
  if (whole.success) return { issues: [], config: whole.data, broken: [] };
  const issues = flatten(whole.error.issues);
  const broken = issues.flatMap(placesOf);
  const rest = without(data, broken);
  const again = rest === undefined ? undefined : configSchema.safeParse(rest);
  return { issues, config: again?.data, broken };
}

function placesOf({ path, unknownKeys }: FlatIssue): KeyPath[] {
  if (unknownKeys.length > 0) return unknownKeys.map((key) => [...path, key]);
  // Without one entry the others of the list would move up: the whole list goes.
  return [typeof path.at(-1) === 'number' ? path.slice(0, -1) : path];
}

/** Stand-ins for keys that must be there; what is said about their section is not reported anyway. */
const standIns: ReadonlyMap<string, (index: string) => string> = new Map([
  ['stages.name', (index: string) => `unnamed-${index}`],
  ['stages.mix', () => 'stat'],
  ['agents.address', (index: string) => `unknown-${index}`],
]);

/** A copy without those keys; undefined when one of them is the root. */
function without(data: unknown, paths: readonly KeyPath[]): unknown {
  const copy = structuredClone(data);
  for (const path of paths) {
    const key = path.at(-1);
    const place = valueAt(copy, path.slice(0, -1)) as Record<string | number, unknown> | undefined;
    if (key === undefined) return undefined;
    if (place === undefined) continue;
    const [section, index, ...rest] = path;
    const standIn = standIns.get([section, ...rest].join('.'));
    if (standIn === undefined) Reflect.deleteProperty(place, key);
    else place[key] = standIn(String(index));
  }
  return copy;
}
