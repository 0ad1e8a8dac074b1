import { CommanderError } from 'commander';
import { codeOf, MusterError } from '../shared/kernel/errors.js';
import { systemClock } from '../shared/kernel/system-clock.js';
import { exitCodes, type ExitCode } from '../shared/model/outcome.js';
import type { CommandIo } from './commands/command-io.js';
import { controllerProgram } from './cli.js';

const signals = ['SIGINT', 'SIGTERM'] as const;

/** A reader that goes away, as in `validate x.yaml | head`, must not end a run whose results are on disk. */
function outliveReaders(...outputs: NodeJS.WriteStream[]): void {
  for (const output of outputs) {
    output.on('error', (thrown) => {
      if (codeOf(thrown) !== 'EPIPE') throw thrown;
    });
  }
}

function ioOf(process: NodeJS.Process): CommandIo {
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    argv: process.argv.slice(2),
    clock: systemClock,
    onSignal(listener) {
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
    exitCode: exitCodes.completed,
  };
}

/** Runs the command line and gives the exit code; prints what went wrong, with a stack only for a bug of ours. */
export async function main(process: NodeJS.Process): Promise<ExitCode> {
  const io = ioOf(process);
  outliveReaders(process.stdout, process.stderr);
  try {
    await controllerProgram(io).parseAsync(process.argv);
    return io.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      // commander has printed its sentence; --help and --version come this way too, with 0
      return thrown.exitCode === 0 ? exitCodes.completed : exitCodes.usage;
    }
    if (thrown instanceof MusterError) {
      io.stderr.write(`ERROR: ${thrown.message}\n${thrown.hint ? `${thrown.hint}\n` : ''}`);
      return thrown.exitCode;
    }
    const stack = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    io.stderr.write(`INTERNAL ERROR (a bug in Muster, please report it): ${stack}\n`);
    return exitCodes.internal;
  }
}
