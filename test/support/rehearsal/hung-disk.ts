/**
 * Preloaded into a controller (NODE_OPTIONS=--import=…) where no file system may be frozen: as long as the file
 * MUSTER_TEST_HUNG is there, nothing that it writes to its results returns.
 */
import fs from 'node:fs';
import { open } from 'node:fs/promises';

const flag = process.env['MUSTER_TEST_HUNG'] ?? '';
const lookEveryMs = 50;

const probe = await open('/dev/null', 'a');
const handles = Object.getPrototypeOf(probe) as typeof probe;
await probe.close();

async function answers(): Promise<void> {
  while (fs.existsSync(flag)) await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
}

const { appendFile, datasync, sync } = handles;
handles.appendFile = async function (this: typeof probe, ...written) {
  await answers();
  return appendFile.apply(this, written);
};
handles.datasync = async function (this: typeof probe) {
  await answers();
  return datasync.apply(this);
};
handles.sync = async function (this: typeof probe) {
  await answers();
  return sync.apply(this);
};
