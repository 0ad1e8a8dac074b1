import { Command } from 'commander';
import { configJsonSchema } from '../../shared/model/config/json-schema.js';
import { configReference } from '../../shared/model/config/reference.js';
import type { CommandIo } from './command-io.js';

export function schemaCommand(io: CommandIo): Command {
  return new Command('schema')
    .description('print the JSON Schema of the config, for editors')
    .option('--markdown', 'print the reference of all keys (docs/config.md) instead')
    .action((options: { readonly markdown?: boolean }) => {
      io.stdout.write(
        options.markdown === true
          ? configReference()
          : `${JSON.stringify(configJsonSchema(), null, 2)}\n`,
      );
    });
}
