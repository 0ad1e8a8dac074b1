import type { Cancel, Clock } from './clock.js';

/** Node's timers fire at most 2^31-1 ms ahead; a longer delay re-arms itself. */
const longestTimerMs = 2 ** 31 - 1;

function after(delayMs: number, fire: () => void): Cancel {
  const dueMs = nowMs() + delayMs;
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const left = dueMs - nowMs();
    // Node may fire up to 1 ms early because it truncates; a caller relies on "not earlier".
    if (left <= 0) fire();
    else timer = setTimeout(arm, Math.min(Math.ceil(left), longestTimerMs));
  };
  timer = setTimeout(arm, Math.max(0, Math.min(Math.ceil(delayMs), longestTimerMs)));
  return () => {
    clearTimeout(timer);
  };
}

function nowMs(): number {
  const [seconds, nanos] = process.hrtime();
  return seconds * 1e3 + nanos / 1e6;
}

/** The machine's clocks: the only file that touches timers and clocks outside the runner's hot loop. */
export const systemClock: Clock = {
  nowNs: () => process.hrtime.bigint(),
  nowMs,
  unixMs: () => Date.now(),
  after,
};
