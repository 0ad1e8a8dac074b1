/**
 * Preloaded into a controller that is forked with a channel: between `'begin'` and `'end'` it looks how late the event
 * loop is, and then says so (`LoopDelay`). The program knows nothing of it.
 */
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { loopDelay } from './loop-delay.js';

/** What blocks the loop for less is not seen, and every blockage seems shorter by up to this. */
const everyMs = 4;

const blockedMs: number[] = [];
let beganMs = 0;
let isWatching = false;

function watch(): void {
  const nowMs = systemClock.nowMs();
  systemClock.after(everyMs, () => {
    blockedMs.push(systemClock.nowMs() - nowMs - everyMs);
    if (isWatching) watch();
  });
}

process.on('message', (message) => {
  isWatching = message === 'begin';
  if (isWatching) {
    beganMs = systemClock.nowMs();
    watch();
  } else process.send?.(loopDelay(blockedMs, systemClock.nowMs() - beganMs));
});
// Listening must not keep the program from ending.
process.channel?.unref();
