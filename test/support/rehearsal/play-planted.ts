import fs from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { rehearse, type Rehearsed } from '../../../src/controller/shell/rehearsal/rehearse.js';
import type { Scenario } from '../../../src/controller/shell/rehearsal/scenario.js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { temporaryFolder } from '../temporary-folder.js';

const preload = new URL('./planted-faults.js', import.meta.url).href;

/** The verdict on a scenario; `planted` names a fault of planted-faults.ts that the programs get. */
export async function play(
  t: TestContext,
  scenario: Scenario,
  planted?: string,
): Promise<Rehearsed> {
  const { path: parent, remove } = temporaryFolder();
  t.after(remove);
  const folder = path.join(parent, scenario.name);
  fs.mkdirSync(folder);
  const fault = planted && {
    NODE_OPTIONS: `--import=${preload}`,
    MUSTER_TEST_PLANTED: planted,
  };
  return rehearse(scenario, {
    folder,
    clock: systemClock,
    env: { ...process.env, ...fault },
    signal: t.signal,
  });
}
