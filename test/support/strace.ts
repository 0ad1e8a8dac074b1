/** Runs a workload process under strace, and reads what it saw. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { RunnerProcess } from './runner-process.js';

export interface Call {
  readonly name: string;
  /** What the descriptor leads to, or the path that was given. */
  readonly file: string;
  /** As strace prints the arguments: `AT_FDCWD</x>, "data/f0", O_RDONLY|O_CLOEXEC`. */
  readonly given: string;
  readonly result: number;
}

/** Skips the test with the reason when there is no strace, or it may not trace. */
export function lacksStrace(t: TestContext): boolean {
  try {
    execFileSync('strace', ['-o', '/dev/null', 'true'], { stdio: 'pipe' });
    return false;
  } catch (thrown) {
    t.skip(`no strace here, or it may not trace: ${String(thrown)}`);
    return true;
  }
}

/** @param folder where strace leaves a file for every thread, so that no call is cut in two by another thread's */
export function tracedRunner(folder: string, calls: readonly string[]): RunnerProcess {
  // With nothing asynchronous to come, the environment turns io_uring off, of whose operations strace sees nothing.
  return new RunnerProcess(0, [
    ...['strace', '-ff', '-qq', '-y', '-s', '0', '--seccomp-bpf', '-e', `trace=${calls.join()}`],
    ...['-o', path.join(folder, 'of')],
  ]);
}

/** For whom every one of the calls fails, on the paths (all without any) as the process names them or as they are. */
export function failingRunner(calls: string, error: string, paths: readonly string[] = []) {
  return new RunnerProcess(0, [
    ...['strace', '-f', '-qq', '--seccomp-bpf', '-o', '/dev/null', '-e', `trace=${calls}`],
    ...['-e', `inject=${calls}:error=${error}`, ...paths.flatMap((name) => ['-P', name])],
  ]);
}

/** Those that succeeded; of a process that is gone. */
export function callsIn(folder: string): readonly Call[] {
  return fs
    .readdirSync(folder)
    .flatMap((name) => fs.readFileSync(path.join(folder, name), 'utf8').split('\n'))
    .flatMap((line) => {
      const [, name = '', given = '', result = ''] = /^(\w+)\((.*)\) += (-?\d+)/.exec(line) ?? [];
      const named = /^(?:AT_FDCWD(?:<[^>]*>)?, )?"([^"]*)"/.exec(given)?.[1];
      const file = named ?? /^\d+<([^>]*)>/.exec(given)?.[1] ?? '';
      // Of those that failed there are some while the dataset is made: is a file there already?
      const isDone = name !== '' && Number(result) >= 0;
      return isDone ? [{ name, file, given, result: Number(result) }] : [];
    });
}
