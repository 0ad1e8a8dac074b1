/** The closed table of exit codes of both programs; docs/exit-codes in the README and `--help` are made from it. */
export const exitCodes = {
  completed: 0,
  thresholdFailed: 1,
  usage: 2,
  notStarted: 3,
  partial: 4,
  majorityLost: 5,
  resultsNotWritten: 6,
  internal: 70,
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

const precedence: readonly ExitCode[] = [70, 6, 130, 5, 3, 2, 4, 1, 0];

/** Several outcomes at once: the gravest counts (70 > 6 > 130 > 5 > 3 > 2 > 4 > 1 > 0). */
export function gravest(codes: readonly ExitCode[]): ExitCode {
  return precedence.find((code) => codes.includes(code)) ?? exitCodes.completed;
}

/** `outcome` of summary.json and run.json. */
export type Outcome = 'completed' | 'partial' | 'aborted' | 'interrupted' | 'failed';
