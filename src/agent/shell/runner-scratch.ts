import { rmdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { codeOf, reasonOf } from '../../shared/kernel/errors.js';
import type { Log } from '../../shared/kernel/log.js';
import { makeTemporaryFolder } from '../runner/temporary-folders.js';

/** A workload process's own folder for temporary files, because a process that is killed leaves them behind. */
export class RunnerScratch {
  readonly #folder: string | undefined;
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
    try {
      this.#folder = makeTemporaryFolder('runner');
    } catch (thrown) {
      // Most runs need none; one that does says why it has none.
      log('debug', `no folder for the workload process's temporary files: ${reasonOf(thrown)}`);
    }
  }

  get env(): NodeJS.ProcessEnv {
    return this.#folder === undefined ? {} : { TMPDIR: this.#folder };
  }

  /** Once the process has ended. What it left may be a million files: no turn of the control loop is held up. */
  async remove(): Promise<void> {
    if (this.#folder === undefined) return;
    try {
      rmdirSync(this.#folder);
    } catch (thrown) {
      if (codeOf(thrown) === 'ENOENT') return;
      await this.#removeAll(this.#folder);
    }
  }

  async #removeAll(folder: string): Promise<void> {
    try {
      await rm(folder, { recursive: true, force: true });
      this.#log('debug', `removed the temporary files that the workload process left in ${folder}`);
    } catch (thrown) {
      this.#log('warn', `temporary files stay in ${folder}: ${reasonOf(thrown)}`);
    }
  }
}
