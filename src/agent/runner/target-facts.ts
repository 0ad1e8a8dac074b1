import fs from 'node:fs';
import { mountOf } from '../core/mounts.js';
import type { Mount } from '../core/mounts.js';
import type { GivenFile } from './given-files.js';

/** Where a run's data lies, sent as JSON (docs/results.md "target"). */
export interface TargetFacts {
  /** null: existing files or devices are used instead. */
  readonly realPath: string | null;
  readonly mount: Mount | null;
  readonly given:
    | readonly {
        readonly path: string;
        readonly sizeBytes: number;
        readonly mount: Mount | null;
      }[]
    | null;
}

export function targetFacts(realPath: string): TargetFacts {
  return { realPath, mount: mountBelow(realPath), given: null };
}

export function givenFacts(files: readonly GivenFile[]): TargetFacts {
  const given = files.map((file) => ({
    path: file.realPath,
    sizeBytes: file.sizeBytes,
    mount: mountBelow(file.realPath),
  }));
  return { realPath: null, mount: null, given };
}

/** null where the system does not tell. @param real absolute, without links */
export function mountBelow(real: string): Mount | null {
  let mountinfo: string;
  try {
    mountinfo = fs.readFileSync('/proc/self/mountinfo', 'utf8');
  } catch {
    return null;
  }
  return mountOf(real, mountinfo) ?? null;
}
