/** Of each kind, in every second of hasty-runner.ts. */
export const operationsPerSecond = 400;
