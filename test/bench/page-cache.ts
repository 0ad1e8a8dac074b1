import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { dropCache } from '../../src/agent/runner/drop-cache.js';

const attempts = 10;

/**
 * Reads the file until all of it is in the page cache: some machines give cached pages back when they are idle, and a
 * "cached" read is then one from the disk. What was written to it before is on the device afterwards.
 */
export function makeResident(file: string): void {
  const size = fs.statSync(file).size;
  const buffer = Buffer.alloc(1024 * 1024);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const descriptor = fs.openSync(file, 'r');
    fs.fsyncSync(descriptor);
    while (fs.readSync(descriptor, buffer) > 0);
    fs.closeSync(descriptor);
    if (residentBytes(file) >= size) return;
  }
  throw new Error(`${file} does not stay in the page cache: too little free memory?`);
}

/** Puts the file out of the page cache, which a direct read would otherwise have to look through. */
export async function makeAbsent(file: string): Promise<void> {
  const { warnings } = await dropCache([file], new AbortController().signal);
  if (warnings.length > 0 || residentBytes(file) > 0) {
    throw new Error(`${file} does not leave the page cache: ${warnings.join('; ')}`);
  }
}

function residentBytes(file: string): number {
  const resident = execFileSync('fincore', ['--bytes', '--noheadings', '--output', 'RES', file]);
  return Number(resident.toString().trim());
}
