export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Where a program's own words go; every line is one sentence without level or time. */
export type Log = (level: LogLevel, line: string) => void;
