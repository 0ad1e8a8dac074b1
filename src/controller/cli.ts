import { Command } from 'commander';
import { version } from '../shared/model/version.js';
import { agentsCommand } from './commands/agents.js';
import { checkCommand } from './commands/check.js';
import type { CommandIo } from './commands/command-io.js';
import { compareCommand } from './commands/compare.js';
import { initCommand } from './commands/init.js';
import { recoverCommand } from './commands/recover.js';
import { reportCommand } from './commands/report.js';
import { cleanupCommand, prepareCommand, runCommand } from './commands/run.js';
import { schemaCommand } from './commands/schema.js';
import { selftestCommand } from './commands/selftest.js';
import { validateCommand } from './commands/validate.js';

const afterHelp = `
Exit codes:
    0  completed
    1  completed, but an expect: threshold, a verdict of selftest or every operation of a kind failed, or compare found a regression
    2  bad usage or config
    3  could not start (agent unreachable, refused, version, preflight, prepare)
    4  completed without all agents (results labelled partial; --allow-partial turns it into 0)
    5  aborted by policy (majority lost)
    6  results could not be written (summary printed to stdout), or standard output could not
   70  internal error (a bug: stack printed)
  130  interrupted by SIGINT or SIGTERM (partial results written)

First steps:
  bench-controller init bench.yaml       write a commented example
  bench-controller validate bench.yaml   check it, see what will run
  bench-controller run bench.yaml        run it; without agents: an embedded one on loopback`;

/** The whole command line of bench-controller. Parsing throws CommanderError for usage, MusterError for what was foreseen. */
export function controllerProgram(io: CommandIo): Command {
  const program = new Command('bench-controller')
    .description('Drives storage benchmarks on many hosts through one synchronised run.')
    .version(version)
    .addHelpText('after', afterHelp)
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    });
  const commands = [
    runCommand,
    prepareCommand,
    cleanupCommand,
    validateCommand,
    checkCommand,
    agentsCommand,
    reportCommand,
    compareCommand,
    recoverCommand,
    selftestCommand,
    initCommand,
    schemaCommand,
  ];
  for (const make of commands) {
    program.addCommand(make(io).copyInheritedSettings(program));
  }
  return program;
}
