/** The working directory, in which all work is done, was removed: no thread starts any more. */
import { RunnerFailure } from './failure.js';

/** What a thread that could not start has thrown, as the runner's failure; undefined when it is something else. */
export function homelessFailure(thrown: unknown): RunnerFailure | undefined {
  // A thread asks for the working directory at its start.
  const isHomeless = thrown instanceof Error && 'syscall' in thrown && thrown.syscall === 'uv_cwd';
  return isHomeless ? new RunnerFailure('dataset', homeless) : undefined;
}

const homeless = 'the folder of the dataset was removed by somebody else: no thread starts in it';
