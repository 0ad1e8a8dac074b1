/** Marker and manifests of a dataset: what makes a folder Muster's own, and which files in it are complete. */
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { codeOf } from '../../shared/kernel/errors.js';
import { hereName, manifestName, markerName } from './dataset-layout.js';
import { RunnerFailure, failureFrom } from './failure.js';
import { FileRanges } from './file-ranges.js';
import { removeFile } from './remove-file.js';

const { O_RDONLY, O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = fs.constants;

const markerSchema = z.object({
  product: z.literal('muster'),
  version: z.literal(1),
  hash: z.string(),
  creator: z.string(),
  namespace: z.enum(['private', 'shared']),
  agents: z.int(),
  runId: z.string(),
});
export type Marker = z.infer<typeof markerSchema>;

const ranges = z.array(z.tuple([z.int().min(0), z.int().min(0)]));

const manifestSchema = z.object({
  version: z.literal(1),
  hash: z.string(),
  agent: z.int(),
  complete: ranges,
  empty: ranges.optional(),
  written: z.boolean().optional(),
});

/** What an agent says of the files it makes. */
export interface Manifest {
  readonly complete: FileRanges;
  /** Made, and to be written by a stage. */
  readonly empty: FileRanges;
  /** The agent has come to the end of the stages that write them. */
  readonly written: boolean;
}

/** @returns undefined when there is none. @throws RunnerFailure when it is not a marker */
export function readMarker(folder: string): Marker | undefined {
  const text = readOwn(path.join(folder, markerName));
  if (text === undefined) return undefined;
  const marker = markerSchema.safeParse(parsed(text));
  if (marker.success) return marker.data;
  throw new RunnerFailure(
    'dataset',
    `${path.join(folder, markerName)} is damaged: remove the folder ${folder} by hand if it is not needed`,
  );
}

/** Exclusive: @throws EEXIST when a marker is there. One that cannot be written is not left behind, half of it. */
export function writeMarker(folder: string, marker: Marker): void {
  const name = path.join(folder, markerName);
  const descriptor = fs.openSync(name, 'wx', 0o644);
  try {
    try {
      fs.writeSync(descriptor, `${JSON.stringify(marker)}\n`);
      fs.fsyncSync(descriptor);
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    removeFile(name);
    throw error;
  }
}

/** Whether the marker shows, and what is in it, too: another agent may be just about to write it. */
export function showsMarker(folder: string): boolean {
  const found = fs.statSync(path.join(folder, markerName), { throwIfNoEntry: false });
  return found !== undefined && found.size > 0;
}

export function readManifest(folder: string, agent: number, hash: string): Manifest {
  const text = readOwn(path.join(folder, manifestName(agent)));
  const read = text === undefined ? undefined : manifestSchema.safeParse(parsed(text));
  // One that cannot be read lists nothing: its files are made again.
  const manifest = read?.data?.hash === hash ? read.data : undefined;
  return {
    complete: new FileRanges(manifest?.complete),
    empty: new FileRanges(manifest?.empty),
    written: manifest?.written ?? false,
  };
}

/** Replaces the manifest as a whole. */
export function writeManifest(
  folder: string,
  agent: number,
  hash: string,
  { complete, empty, written }: Partial<Manifest>,
): void {
  const name = path.join(folder, manifestName(agent));
  const manifest = {
    version: 1,
    hash,
    agent,
    complete: complete?.toArray() ?? [],
    // What is seldom there is left out.
    ...(empty === undefined ? {} : { empty: empty.toArray() }),
    ...(written === true ? { written } : {}),
  };
  const descriptor = fs.openSync(`${name}.new`, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644);
  try {
    fs.writeSync(descriptor, `${JSON.stringify(manifest)}\n`);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(`${name}.new`, name);
}

/** @returns the run that has the folder, as `writeHere` in it has said */
export function readHere(folder: string): string | undefined {
  return readOwn(path.join(folder, hereName));
}

/** In the working directory. */
export function writeHere(runId: string): void {
  const descriptor = fs.openSync(hereName, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o644);
  try {
    fs.writeSync(descriptor, runId);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** @returns undefined when it is not there. @throws RunnerFailure */
export function readOwn(name: string): string | undefined {
  try {
    const descriptor = fs.openSync(name, O_RDONLY | O_NOFOLLOW);
    try {
      return fs.readFileSync(descriptor, 'utf8');
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw failureFrom(error, `cannot read ${name}`);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
