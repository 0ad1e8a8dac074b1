/**
 * Preloaded into an agent (NODE_OPTIONS=--import=…), its workload process and their threads: a disk on which every sync
 * takes MUSTER_TEST_SYNC_MS longer, as a slow one does. The load then waits and leaves the processor to the programs.
 */
import fs from 'node:fs';

const syncMs = Number(process.env['MUSTER_TEST_SYNC_MS'] ?? '0');
const never = new Int32Array(new SharedArrayBuffer(4));

const { fsyncSync } = fs;
fs.fsyncSync = (descriptor) => {
  Atomics.wait(never, 0, 0, syncMs);
  fsyncSync(descriptor);
};
