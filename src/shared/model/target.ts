/** What a target names: an engine and, for files, an absolute folder. Pure: the agent checks again on real paths. */
import { engineCapabilities, engineNames } from './engines.js';
import type { EngineName } from './engines.js';

export type Target =
  | { readonly engine: 'file'; readonly path: string }
  | { readonly engine: Exclude<EngineName, 'file'> };

/** Folders that are never a target, nor anything in them; `/` only itself. */
export const forbiddenFolders = ['/etc', '/usr', '/boot', '/proc', '/sys', '/dev'] as const;

/** The target of a plan whose dataset is existing files or devices: the file engine without a folder of its own. */
export const noFolder = 'file:';

/** @returns for `noFolder` an empty path */
export function parseTarget(text: string): Target | { readonly problem: string } {
  if (text.startsWith('/')) return folder(text);
  if (text === noFolder) return { engine: 'file', path: '' };
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    return {
      problem: `"${text}" is not an absolute path; write /mnt/bench, file:///mnt/bench or "null:"`,
    };
  }
  const engine = engineNames.find((name) => engineCapabilities[name].schemes.includes(scheme));
  switch (engine) {
    case 'file':
      return fileUri(text);
    case 'null':
      return text.length === 'null:'.length
        ? { engine }
        : { problem: `"${text}" has more than the scheme; the null engine is written "null:"` };
    case undefined: {
      const known = engineNames.flatMap((name) => engineCapabilities[name].schemes);
      return {
        problem: `no engine for "${scheme}:"; this version has ${known.map((s) => `${s}:`).join(' and ')}`,
      };
    }
  }
}

function fileUri(text: string): Target | { readonly problem: string } {
  const path = /^file:\/\/(\/.*)$/i.exec(text)?.[1];
  if (path === undefined) {
    return { problem: `"${text}" is not a local file URI; write file:///mnt/bench` };
  }
  try {
    return folder(decodeURIComponent(path));
  } catch {
    return { problem: `"${text}" has a broken %-escape` };
  }
}

function folder(text: string): Target | { readonly problem: string } {
  if (text.includes('\0')) return { problem: 'a path cannot contain a NUL character' };
  const path = normalise(text);
  const why = forbidden(path);
  return why === undefined ? { engine: 'file', path } : { problem: why };
}

/** The sentence that refuses an absolute, normalised path, or undefined. */
export function forbidden(path: string): string | undefined {
  if (path === '/') return '/ is never a target; name a folder made for the benchmark';
  const inside = forbiddenFolders.find((root) => path === root || path.startsWith(`${root}/`));
  if (inside === undefined) return undefined;
  const where = path === inside ? path : `${path} is in ${inside}, which`;
  const instead =
    inside === '/dev'
      ? 'dataset.devices is for block devices'
      : 'name a folder made for the benchmark';
  return `${where} is never a target; ${instead}`;
}

function normalise(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
