/** Marker and manifests of a dataset: what makes a folder Muster's own, and which files in it are complete. */
import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { codeOf } from '../../shared/kernel/errors.js';
import { manifestName, markerName } from './dataset-layout.js';
import { RunnerFailure } from './failure.js';
import { FileRanges } from './file-ranges.js';

const { O_RDONLY, O_NOFOLLOW } = fs.constants;

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

const manifestSchema = z.object({
  version: z.literal(1),
  hash: z.string(),
  agent: z.int(),
  complete: z.array(z.tuple([z.int().min(0), z.int().min(0)])),
});

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

/** Exclusive: @throws EEXIST when a marker is there. */
export function writeMarker(folder: string, marker: Marker): void {
  const descriptor = fs.openSync(path.join(folder, markerName), 'wx', 0o644);
  try {
    fs.writeSync(descriptor, `${JSON.stringify(marker)}\n`);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

export function readManifest(folder: string, agent: number, hash: string): FileRanges {
  const text = readOwn(path.join(folder, manifestName(agent)));
  if (text === undefined) return new FileRanges();
  const manifest = manifestSchema.safeParse(parsed(text));
  // One that cannot be read lists nothing: its files are made again.
  if (!manifest.success || manifest.data.hash !== hash) return new FileRanges();
  return new FileRanges(manifest.data.complete);
}

/** Replaces the manifest as a whole. */
export function writeManifest(
  folder: string,
  agent: number,
  hash: string,
  complete: FileRanges,
): void {
  const name = path.join(folder, manifestName(agent));
  const manifest = { version: 1, hash, agent, complete: complete.toArray() };
  const descriptor = fs.openSync(`${name}.new`, 'w', 0o644);
  try {
    fs.writeSync(descriptor, `${JSON.stringify(manifest)}\n`);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  fs.renameSync(`${name}.new`, name);
}

function readOwn(name: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = fs.openSync(name, O_RDONLY | O_NOFOLLOW);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return fs.readFileSync(descriptor, 'utf8');
  } finally {
    fs.closeSync(descriptor);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
