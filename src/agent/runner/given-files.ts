/** Existing files and devices of a plan: found, judged, and held for as long as the run uses them. */
import fs from 'node:fs';
import { codeOf } from '../../shared/kernel/errors.js';
import { writes } from '../../shared/model/assignment.js';
import type { Assignment } from '../../shared/model/assignment.js';
import type { GivenData } from '../../shared/model/plan.js';
import { consentRefusal, givenRefusal } from '../core/given-guard.js';
import type { Consent, GivenFacts, GivenUse } from '../core/given-guard.js';
import type { DatasetPaths } from '../engines/engine.js';
import { blockDevice, deviceNumber, imageOf } from './block-devices.js';
import { RunnerFailure, failureFrom } from './failure.js';
import { realPath } from './target.js';
import { counted } from '../../shared/kernel/counted.js';

const { O_RDONLY, O_RDWR, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants;

/** One that may be used; passes to the workers. */
export interface GivenFile {
  readonly realPath: string;
  readonly sizeBytes: number;
  /** Device and inode, or the device's own number: what a path leads to may change, this does not. */
  readonly identity: string;
}

export interface Limits {
  readonly consent: Consent;
  readonly roots: readonly string[];
}

/**
 * All of them, or why one may not be used. They stay open until the process ends: so a device that is written cannot be
 * mounted meanwhile (O_EXCL on a block device: the kernel lets nobody else have it), and each worker can compare what it
 * opens with what was judged here.
 * @throws RunnerFailure
 */
export function holdGiven(
  given: GivenData,
  assignment: Assignment,
  limits: Limits,
): readonly GivenFile[] {
  const use: GivenUse = { kind: given.kind, writes: writes(assignment.stages) };
  const refusal = consentRefusal(use, limits.consent);
  if (refusal !== undefined) throw new RunnerFailure('permission', refusal);
  const roots = limits.roots.map((root) => realPath(root, '--root'));
  const files = given.paths.map((name) => hold(name, use, roots));
  const twice = files.findIndex(({ identity }, i) =>
    files.slice(0, i).some((other) => other.identity === identity),
  );
  if (twice >= 0) {
    throw new RunnerFailure(
      'config',
      `dataset.${given.kind} names ${given.paths[twice] ?? ''} twice (${files[twice]?.realPath ?? ''})`,
    );
  }
  demandWholeBlocks(files, assignment);
  return files;
}

function hold(name: string, use: GivenUse, roots: readonly string[]): GivenFile {
  const real = realPath(name, `dataset.${use.kind}:`);
  // Before it is opened, which can have effects of its own (a tape rewinds, a FIFO waits).
  const refused = givenRefusal(
    use,
    factsOf(
      name,
      real,
      statOf(name, () => fs.lstatSync(real, wide)),
    ),
    roots,
  );
  if (refused !== undefined) throw new RunnerFailure('target', refused);
  const isClaimed = use.kind === 'devices' && use.writes;
  const flags = (use.writes ? O_RDWR : O_RDONLY) | (isClaimed ? O_EXCL : 0);
  const descriptor = open(name, real, flags | O_NOFOLLOW | O_NONBLOCK);
  // Again, of what is open now: nobody can exchange that.
  const found = statOf(name, () => fs.fstatSync(descriptor, wide));
  const again = givenRefusal(use, factsOf(name, real, found), roots);
  if (again !== undefined) throw new RunnerFailure('target', again);
  const { sizeBytes } = factsOf(name, real, found);
  return { realPath: real, sizeBytes, identity: identityOf(found) };
}

const wide = { bigint: true } as const;

function open(name: string, real: string, flags: number): number {
  try {
    return fs.openSync(real, flags);
  } catch (error) {
    if (codeOf(error) === 'EBUSY') {
      throw new RunnerFailure(
        'target',
        `${name} is in use by the system, by another run or by another agent of this one: writing to it would destroy what is there`,
      );
    }
    throw failureFrom(error, `cannot open ${name}`);
  }
}

function statOf(name: string, stat: () => fs.BigIntStats): fs.BigIntStats {
  try {
    return stat();
  } catch (error) {
    throw failureFrom(error, `cannot look at ${name}`);
  }
}

function factsOf(name: string, real: string, found: fs.BigIntStats): GivenFacts {
  const common = { name, realPath: real, readOnly: false, usedAs: undefined };
  if (found.isFile()) {
    return { ...common, type: 'file', sizeBytes: Number(found.size), usedAs: imageOf(found) };
  }
  if (!found.isBlockDevice()) return { ...common, type: 'other', sizeBytes: 0 };
  return { ...common, type: 'device', ...blockDevice(deviceNumber(found.rdev)) };
}

function identityOf(found: fs.BigIntStats): string {
  return found.isBlockDevice()
    ? `device ${deviceNumber(found.rdev)}`
    : `${String(found.dev)}:${String(found.ino)}`;
}

function demandWholeBlocks(files: readonly GivenFile[], { stages }: Assignment): void {
  const smallest = files.reduce((a, b) => (b.sizeBytes < a.sizeBytes ? b : a));
  for (const { name, mix, blockSizeBytes } of stages) {
    const inBlocks = mix.some(({ operation }) => operation === 'read' || operation === 'write');
    if (!inBlocks || blockSizeBytes <= smallest.sizeBytes) continue;
    throw new RunnerFailure(
      'config',
      `stage "${name}": block_size (${String(blockSizeBytes)}) is larger than ${smallest.realPath} (${counted(smallest.sizeBytes, 'byte')})`,
    );
  }
}

/** The paths of a dataset that is there already, and the proof that they still lead to what was judged. */
export class GivenPaths implements DatasetPaths {
  readonly #files: readonly GivenFile[];

  constructor(files: readonly GivenFile[]) {
    this.#files = files;
  }

  file(index: number): string {
    return this.#files[index]?.realPath ?? '';
  }

  verify(index: number, descriptor: number): void {
    const found = fs.fstatSync(descriptor, wide);
    const { identity, sizeBytes = 0 } = this.#files[index] ?? {};
    if (identityOf(found) !== identity) {
      throw new RunnerFailure('target', `${this.file(index)} was exchanged for another file`);
    }
    // Writes where it was longer would extend it.
    if (found.isFile() && found.size < sizeBytes) {
      throw new RunnerFailure(
        'target',
        `${this.file(index)} was made shorter during the run: ${String(found.size)} of ${String(sizeBytes)} bytes are left`,
      );
    }
  }

  folderOf(): never {
    throw new Error('what is there already has no folder for load');
  }

  churnHome(): never {
    return this.folderOf();
  }

  churnFile(): never {
    return this.folderOf();
  }

  churnFolder(): never {
    return this.folderOf();
  }
}
