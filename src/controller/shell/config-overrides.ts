/** `--set stages.0.threads=16`: a change to the config's data before it is checked, with the flag as its position. */
import { parseDocument, visit } from 'yaml';
import { printPath, startsWith } from '../../shared/model/config/path.js';
import type { LocatedProblem } from './config-source.js';
import type { KeyPath } from '../../shared/model/config/path.js';
import { counted } from '../../shared/kernel/counted.js';

export interface Overridden {
  readonly data: unknown;
  readonly problems: readonly LocatedProblem[];
  /** The flag that the value at `path` comes from, or undefined. */
  flagOf(path: KeyPath): string | undefined;
}

type Container = Record<string | number, unknown>;

export function applyOverrides(data: unknown, sets: readonly string[]): Overridden {
  const copy = unshared(data ?? {});
  const problems: LocatedProblem[] = [];
  const origins: { readonly path: KeyPath; readonly flag: string }[] = [];
  for (const text of sets) {
    const flag = `--set ${text}`;
    const parsed = parseOverride(text);
    const done = 'problem' in parsed ? parsed : assign(copy, parsed.path, parsed.value);
    if ('problem' in done) problems.push({ where: flag, message: done.problem });
    else origins.push({ path: done.made, flag });
  }
  return {
    data: copy,
    problems,
    // The last one wins, as for the value. Below an overridden section everything is the flag's.
    flagOf: (path) => origins.findLast((origin) => startsWith(path, origin.path))?.flag,
  };
}

function parseOverride(
  text: string,
): { readonly path: KeyPath; readonly value: unknown } | { readonly problem: string } {
  const equals = text.indexOf('=');
  const name = text.slice(0, Math.max(0, equals)).trim();
  if (!/^[\w-]+(?:\.[\w-]+|\[\d+\])*$/.test(name)) {
    return { problem: 'is not an override; write it like stages.0.threads=16' };
  }
  const path = name
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .split('.')
    .map((step) => (/^\d+$/.test(step) ? Number(step) : step));
  const written = text.slice(equals + 1);
  // Values such as "null:" are text here although YAML sees a mapping in them.
  if (/^[a-z][a-z0-9+.-]*:\S*$/i.test(written.trim())) return { path, value: written.trim() };
  const document = parseDocument(written);
  const [error] = document.errors;
  if (error !== undefined)
    return { problem: `the value is not valid YAML: ${firstLine(error.message)}` };
  let alias: string | undefined;
  visit(document, { Alias: (_key, { source }) => void (alias = source) });
  if (alias !== undefined) {
    return { problem: `*${alias} is an alias; write what it stands for, or text in quotes` };
  }
  return { path, value: document.toJS() as unknown };
}

/** A copy in which what an alias stands for is there once for each place: a change to one must not be one to all. */
function unshared(data: unknown): unknown {
  if (Array.isArray(data)) return data.map(unshared);
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, unshared(value)]));
}

const firstLine = (text: string): string => text.split('\n')[0] ?? text;

/**
 * Puts `value` at `path` into `data`; makes mappings on the way, and one more entry at the end of a list. `made`: the
 * outermost thing that is the flag's.
 */
function assign(
  data: unknown,
  path: KeyPath,
  value: unknown,
): { readonly made: KeyPath } | { readonly problem: string } {
  let place = data;
  let made: KeyPath = path;
  for (const [depth, step] of path.entries()) {
    const here = printPath(path.slice(0, depth));
    if (typeof place !== 'object' || place === null) {
      return { problem: `${here} is not a mapping or a list` };
    }
    if (Array.isArray(place)) {
      if (typeof step !== 'number') {
        return { problem: `${here} is a list; use a number such as ${here}.0` };
      }
      if (step > place.length) {
        return {
          problem: `${here} has only ${counted(place.length, 'entry', 'entries')}`,
        };
      }
    }
    const container = place as Container;
    if (depth === path.length - 1) {
      define(container, step, value);
    } else if (!Object.hasOwn(container, step) || container[step] === null) {
      if (made === path) made = path.slice(0, depth + 1);
      define(container, step, typeof path[depth + 1] === 'number' ? [] : {});
    }
    place = container[step];
  }
  return { made };
}

/** Also right for `__proto__`, which then is an unknown key like any other. */
function define(container: Container, key: string | number, value: unknown): void {
  Object.defineProperty(container, key, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}
