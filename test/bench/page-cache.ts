import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

const attempts = 10;

/**
 * Reads the file until all of it is in the page cache: some machines give cached pages back when they are idle, and a
 * "cached" read is then one from the disk.
 */
export function makeResident(file: string): void {
  const size = fs.statSync(file).size;
  const buffer = Buffer.alloc(1024 * 1024);
  for (let attempt = 0; attempt < attempts; attempt++) {
    const descriptor = fs.openSync(file, 'r');
    while (fs.readSync(descriptor, buffer) > 0);
    fs.closeSync(descriptor);
    const resident = execFileSync('fincore', ['--bytes', '--noheadings', '--output', 'RES', file]);
    if (Number(resident.toString().trim()) >= size) return;
  }
  throw new Error(`${file} does not stay in the page cache: too little free memory?`);
}
