/**
 * The workload process, forked by the agent's control process for one run. It lives only as long as control does:
 * when the channel closes, the lease is over or control dies, it ends itself with SIGKILL, because an ordinary exit
 * waits for threads that are stuck in a system call.
 */
import fs from 'node:fs';
import os from 'node:os';
import v8 from 'node:v8';
import { reasonOf } from '../../shared/kernel/errors.js';
import { systemClock } from '../../shared/kernel/system-clock.js';
import { ClockBase } from './clock-base.js';
import { homelessFailure } from './homeless.js';
import type { RunnerCommand, RunnerEvent } from './protocol.js';
import { RunnerSession } from './session.js';
import { Watchdog } from './watchdog.js';

const internalError = 70;
/** Nice values: less is more. */
const mainThreadAdvantage = -10;
const reportEveryMs = 1_000;
/** For a last word to control before a process with stuck threads is ended the hard way. */
const lastWordsNs = 2e9;

/** With many busy workers the shared compiler threads starve: each compiles for itself, before it is armed. */
v8.setFlagsFromString('--no-concurrent-recompilation');
/** And WebAssembly is compiled once, for all of them, to what it will be. */
v8.setFlagsFromString('--no-liftoff');
refuseTimerSlack();

const base = new ClockBase();
let watchdog: Watchdog | undefined;

function emit(event: RunnerEvent): void {
  process.send?.(event);
}

function onBug(error: unknown): void {
  // The watchdog's thread may still have been on its way when the folder was removed.
  const { code, message } = homelessFailure(error) ?? { code: 'internal', message: stackOf(error) };
  watchdog ??= new Watchdog(base, 0);
  watchdog.extend(base.now() + lastWordsNs);
  const failed: RunnerEvent = { kind: 'failed', code, message };
  process.send?.(failed, undefined, undefined, () => process.exit(internalError));
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

const session = new RunnerSession({
  clock: systemClock,
  workerPriority: preferMainThread(),
  base,
  emit,
  onBug,
});

process.on('message', (command: RunnerCommand) => {
  switch (command.kind) {
    case 'lease':
      watchdog?.extend(base.toRelative(command.untilNs));
      return;
    case 'quit':
      session.leave();
      process.exit(0);
      return;
    case 'prepare':
      watchdog ??= new Watchdog(base, base.now() + command.assignment.timeouts.leaseMs * 1e6);
      break;
    default:
  }
  session.handle(command);
});
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('uncaughtException', onBug);
process.on('unhandledRejection', onBug);
// Ctrl-C and a service manager signal the whole group; control decides and tells us.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

reportEverySecond();

function reportEverySecond(): void {
  const { rss } = process.memoryUsage();
  emit({ kind: 'report', rssBytes: rss, ...session.figures() });
  systemClock.after(reportEveryMs, reportEverySecond);
}

/**
 * With more busy workers than cores this thread would wait for its turn, and seconds would be cut late. Where it is
 * allowed (root) it goes first.
 * @returns the priority that it had, for the workers
 */
function preferMainThread(): number {
  const priority = os.getPriority();
  try {
    os.setPriority(priority + mainThreadAdvantage);
  } catch (error) {
    emit({ kind: 'log', level: 'debug', line: `priority stays: ${reasonOf(error)}` });
  }
  return priority;
}

/** Waits are to end when they are due, not 50 µs later. Threads inherit it. */
function refuseTimerSlack(): void {
  try {
    fs.writeFileSync('/proc/self/timerslack_ns', '1');
  } catch (error) {
    // Some containers forbid it: stages then begin a little later.
    emit({ kind: 'log', level: 'debug', line: `timer slack stays: ${reasonOf(error)}` });
  }
}
