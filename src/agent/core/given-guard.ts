/**
 * Whether a run may use a file or device that was there before Muster. Who sends the plan does not decide that: the
 * operator of this host does, with the agent's flags. Decides on facts about the real path; nothing is touched here.
 */
import { forbiddenFolders } from '../../shared/model/target.js';
import type { GivenData } from '../../shared/model/plan.js';
import { isWithin } from './target-guard.js';

/** `--allow-existing`, `--allow-devices` and `--allow-drop-caches`. */
export interface Consent {
  /** What is there already may be read. */
  readonly existing: boolean;
  /** … and written: what is on it will be lost. */
  readonly devices: boolean;
  /** The page cache of the whole host may be dropped: everybody on it reads from the storage for a while. */
  readonly dropCaches: boolean;
}

export const noConsent: Consent = { existing: false, devices: false, dropCaches: false };

/** What a run wants to do with them. */
export interface GivenUse {
  readonly kind: GivenData['kind'];
  readonly writes: boolean;
}

export interface GivenFacts {
  /** As the plan has it. */
  readonly name: string;
  readonly realPath: string;
  readonly type: 'file' | 'device' | 'other';
  readonly sizeBytes: number;
  /** The device takes no writes. */
  readonly readOnly: boolean;
  /** `mounted on /home`, for a device that somebody else has; undefined when nobody has. */
  readonly usedAs: string | undefined;
}

/** Comes before anything else: without consent the plan does not learn what this host has. */
export function consentRefusal({ kind, writes }: GivenUse, consent: Consent): string | undefined {
  const what = kind === 'devices' ? 'block devices' : 'files that are there already';
  if (writes && !consent.devices) {
    return `this agent does not let runs write to ${what}: start it with --allow-devices if what is on them may be lost`;
  }
  if (!consent.existing && !consent.devices) {
    return `this agent does not let runs read ${what}: start it with --allow-existing to allow that`;
  }
  return undefined;
}

/**
 * @param realRoots as in `refusalOf`; a root may be a device itself
 * @returns why it is refused, one sentence; undefined when it may be used
 */
export function givenRefusal(
  { kind, writes }: GivenUse,
  facts: GivenFacts,
  realRoots: readonly string[],
): string | undefined {
  const { realPath, type, sizeBytes, usedAs } = facts;
  const name = facts.name === realPath ? realPath : `${facts.name} (${realPath})`;
  if (type === 'other') return `${name} is neither a regular file nor a block device`;
  if (kind === 'existing' && type === 'device') {
    return `${name} is a block device: name it in dataset.devices`;
  }
  if (kind === 'devices' && type === 'file') {
    return `${name} is no block device: name it in dataset.existing`;
  }
  const zone = forbiddenFolders.find((folder) => isWithin(realPath, folder));
  if (type === 'file' && zone !== undefined) {
    return `${name} is refused: ${zone} and everything below it belong to the system`;
  }
  if (type === 'device' && zone !== '/dev') {
    return `${name} is refused: a device is used by its name in /dev`;
  }
  if (realRoots.length > 0 && !realRoots.some((root) => isWithin(realPath, root))) {
    return `${name} is outside of what this agent allows (--root ${realRoots.join(', --root ')})`;
  }
  if (sizeBytes === 0) return `${name} is empty: there is nothing to read or write`;
  if (writes && usedAs !== undefined) {
    return `${name} is in use (${usedAs}): writing to it would destroy what is there`;
  }
  if (writes && facts.readOnly) return `${name} is read-only`;
  return undefined;
}
