import type { Clock } from '../../shared/kernel/clock.js';
import type { Log, LogLevel } from '../../shared/kernel/log.js';

export type LogFormat = 'text' | 'json';

export interface LogOptions {
  readonly format: LogFormat;
  /** Also the debug lines. */
  readonly verbose: boolean;
  readonly clock: Clock;
  readonly write: (line: string) => void;
}

/** Made at the first line: it takes longer than all else in the program's start. */
let format: Intl.DateTimeFormat | undefined;

function localTime(unixMs: number): string {
  format ??= new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });
  return format.format(unixMs);
}

/** The program's log: one line per entry. Text carries local time; JSON milliseconds since 1970. */
export function createLog({ format, verbose, clock, write }: LogOptions): Log {
  return (level, line) => {
    if (level === 'debug' && !verbose) return;
    const unixMs = clock.unixMs();
    if (format === 'json') write(`${JSON.stringify({ unixMs, level, line })}\n`);
    else write(`${localTime(unixMs)} ${prefixOf(level)}${line}\n`);
  };
}

function prefixOf(level: LogLevel): string {
  switch (level) {
    case 'debug':
      return 'debug: ';
    case 'info':
      return '';
    case 'warn':
      return 'WARNING: ';
    case 'error':
      return 'ERROR: ';
  }
}
