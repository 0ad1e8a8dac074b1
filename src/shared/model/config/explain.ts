/** Zod's issues as sentences with the path of the key they are about. */
import { inOurWords } from '../fio-options.js';
import { printPath, valueAt } from './path.js';
import { isSecretKey } from './secrets.js';
import { suggestion } from './suggest.js';
import { keysAt } from './walk.js';
import type { core } from 'zod';
import type { KeyPath, Problem } from './path.js';

export interface FlatIssue {
  readonly path: KeyPath;
  readonly message: string;
  readonly unknownKeys: readonly string[];
}

/** One entry per wrong value; of a union the form that the value was meant to have. */
export function flatten(issues: readonly core.$ZodIssue[], base: KeyPath = []): FlatIssue[] {
  return issues.flatMap((issue) => {
    const path = [...base, ...(issue.path as KeyPath)];
    if (issue.code === 'invalid_union') {
      // The form that took the value's type and failed deeper says more than the union as a whole.
      const meant = issue.errors.find((form) => form.length > 0 && form.every(isInside));
      if (meant !== undefined) return flatten(meant, path);
    }
    const unknownKeys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    return [{ path, message: issue.message, unknownKeys }];
  });
}

const isInside = (issue: core.$ZodIssue): boolean =>
  issue.path.length > 0 || issue.code === 'unrecognized_keys' || issue.code === 'custom';

export function explain(issues: readonly FlatIssue[], data: unknown): Problem[] {
  return issues.flatMap(({ path, message, unknownKeys }): Problem[] => {
    if (unknownKeys.length > 0) {
      const known = keysAt(path);
      // Secrets have a sentence of their own (findSecrets).
      return unknownKeys
        .filter((key) => !isSecretKey(key))
        .map((key) => ({
          path: [...path, key],
          message: unknownKey(key, path, known),
          atKey: true,
        }));
    }
    const value = valueAt(data, path);
    if (value === undefined) return [{ path, message: 'is missing' }];
    return [{ path, message: value === null ? 'has no value' : message }];
  });
}

function unknownKey(key: string, path: KeyPath, known: readonly string[]): string {
  if (key === '<<') return 'YAML 1.2 has no merge key; write out what is meant';
  const section = path.length === 0 ? sectionOf(key) : undefined;
  if (section !== undefined) return `unknown key; it belongs further in: ${section}`;
  return `unknown key; ${inOurWords(key) ?? suggestion(key, known)}`;
}

/** Where a key that stands at the top belongs: `--set threads=4`. */
function sectionOf(key: string): string | undefined {
  const sections = [['stages', 0], ['dataset'], ['timeouts'], ['results']];
  const section = sections.find((path) => keysAt(path).includes(key));
  return section && `${printPath(section)}.${key}`;
}
