import { writeFile } from 'node:fs/promises';
import { Command } from 'commander';
import { codeOf, MusterError, reasonOf } from '../../shared/kernel/errors.js';
import { exitCodes } from '../../shared/model/outcome.js';
import { exampleConfig } from './example-config.js';
import type { CommandIo } from './command-io.js';

export function initCommand(io: CommandIo): Command {
  return new Command('init')
    .description('write a commented example config')
    .argument('[file]', 'where to write it; an existing file is never touched', 'muster.yaml')
    .action(async (file: string) => {
      try {
        await writeFile(file, exampleConfig, { flag: 'wx' });
      } catch (error) {
        throw notWritten(file, error);
      }
      io.stdout.write(
        `Wrote ${file}. Edit it, then: bench-controller validate ${file} && bench-controller run ${file}\n`,
      );
    });
}

function notWritten(file: string, error: unknown): MusterError {
  const exists = codeOf(error) === 'EEXIST';
  return new MusterError(
    exists ? `${file} is there already` : `Cannot write ${file}: ${reasonOf(error)}`,
    {
      exitCode: exitCodes.usage,
      hint: exists ? 'Name another file: bench-controller init other.yaml' : 'Name another place.',
      cause: error,
    },
  );
}
