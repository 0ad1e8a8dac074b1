import { CommanderError } from 'commander';
import { codeOf, MusterError } from '../shared/kernel/errors.js';
import { systemClock } from '../shared/kernel/system-clock.js';
import { exitCodes, gravest, type ExitCode } from '../shared/model/outcome.js';
import type { CommandIo } from './commands/command-io.js';
import { controllerProgram } from './cli.js';
import { keepHeapSmall } from './heap.js';
import { writeFailureReason } from './shell/write-failure.js';

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Nobody who reads, as after `validate x.yaml | head`, and no place for what is printed must not end a run: its results
 * are in its folder. What standard output did not take is told on standard error, and is gone.
 * @returns whether any is
 */
function outliveOutputs({ stdout, stderr }: NodeJS.Process): () => boolean {
  let isLost = false;
  const note = (thrown: Error): void => {
    if (isLost || codeOf(thrown) === 'EPIPE') return;
    isLost = true;
    stderr.write(`ERROR: Cannot write to standard output (${writeFailureReason(thrown)})\n`);
  };
  stdout.on('error', note);
  stderr.on('error', () => undefined);
  return () => {
    // The event of the last failure has not come yet.
    if (stdout.errored) note(stdout.errored);
    return isLost;
  };
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
    onStop(listener) {
      const stop = (): void => {
        listener();
        // Whether it stops then is for the system to say: without a shell that could let it go on, it does not.
        process.off('SIGTSTP', stop);
        process.kill(process.pid, 'SIGTSTP');
        process.on('SIGTSTP', stop);
      };
      process.on('SIGTSTP', stop);
      return () => process.off('SIGTSTP', stop);
    },
    exitCode: exitCodes.completed,
  };
}

keepHeapSmall();

/** Runs the command line and gives the exit code; prints what went wrong, with a stack only for a bug of ours. */
export async function main(process: NodeJS.Process): Promise<ExitCode> {
  const isOutputLost = outliveOutputs(process);
  const code = await carryOut(process);
  return isOutputLost() ? gravest([code, exitCodes.resultsNotWritten]) : code;
}

async function carryOut(process: NodeJS.Process): Promise<ExitCode> {
  const io = ioOf(process);
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
