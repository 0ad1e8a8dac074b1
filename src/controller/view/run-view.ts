import type { LogLevel } from '../../shared/kernel/log.js';
import type { RunSnapshot } from '../core/snapshot.js';

/** Shows a run while it goes on. The driver calls `update` once a second, `notice` as things happen, `close` at the end. */
export interface RunView {
  update(snapshot: RunSnapshot): void;
  /** `line` is one sentence; it is shown even when no update follows. */
  notice(level: LogLevel, line: string): void;
  /** Leaves the terminal as it was found; an update after it (the program was stopped for a while) takes it up again. */
  close(): void;
}

/** Whether a line of this level is for the user's eyes. */
export function shown(level: LogLevel, verbose: boolean): boolean {
  return level !== 'debug' || verbose;
}

/** The line as it is printed: warnings and errors say so, unless the sentence does itself. */
export function noticeText(level: LogLevel, line: string): string {
  if (level === 'warn' && !/^warning/i.test(line)) return `WARNING: ${line}`;
  if (level === 'error' && !/^error/i.test(line)) return `ERROR: ${line}`;
  return line;
}
