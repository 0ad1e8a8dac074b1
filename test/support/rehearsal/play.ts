import fs from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { rehearse } from '../../../src/controller/shell/rehearsal/rehearse.js';
import type {
  Rehearsed,
  RehearsalOptions,
} from '../../../src/controller/shell/rehearsal/rehearse.js';
import type { Scenario } from '../../../src/controller/shell/rehearsal/scenario.js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { temporaryFolder } from '../temporary-folder.js';
import { watchingTurns } from '../turns.js';

/** Environment of the programs in which a module of this folder is preloaded. */
export function preloading(module: string, env: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const preloaded = new URL(`./${module}.js`, import.meta.url).href;
  return { MUSTER_TEST_MODULES: '1', NODE_OPTIONS: `--import=${preloaded}`, ...env };
}

/** Both environments, with the modules that both preload. */
export function and(one: NodeJS.ProcessEnv, other: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const options = [one['NODE_OPTIONS'], other['NODE_OPTIONS']].join(' ').trim();
  return { ...one, ...other, NODE_OPTIONS: options };
}

/** Programs with a fault of planted-faults.ts. */
export function planted(name: string): NodeJS.ProcessEnv {
  return preloading('planted-faults', { MUSTER_TEST_PLANTED: name });
}

/** Every sync takes so much longer: load that leaves the processor to the programs. */
export function slowDisk(syncMs: number): NodeJS.ProcessEnv {
  return preloading('slow-disk', { MUSTER_TEST_SYNC_MS: String(syncMs) });
}

/** The verdict on a scenario, played by programs with `env` added to their environment. */
export async function play(
  t: TestContext,
  scenario: Scenario,
  env: NodeJS.ProcessEnv = {},
  hostOf?: RehearsalOptions['hostOf'],
): Promise<Rehearsed> {
  const { path: parent, remove } = temporaryFolder();
  t.after(remove);
  const folder = path.join(parent, scenario.name);
  fs.mkdirSync(folder);
  return rehearse(scenario, {
    folder,
    clock: systemClock,
    env: watchingTurns({ ...process.env, ...env }),
    signal: t.signal,
    hostOf,
  });
}
