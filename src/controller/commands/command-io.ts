import type { Clock } from '../../shared/kernel/clock.js';
import type { ExitCode } from '../../shared/model/outcome.js';

/** A stream to print to; `isTTY`, `columns` and `rows` are there when it is a terminal. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/**
 * What a command may use of the process. Each command is a function `xCommand(io: CommandIo): Command`; its action sets
 * `io.exitCode` (0 until then) and throws MusterError for what was foreseen: main prints that and takes its exit code.
 */
export interface CommandIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The command line as typed, without node and script. */
  readonly argv: readonly string[];
  readonly clock: Clock;
  /** Calls `listener` at every SIGINT and SIGTERM until the returned function is called. */
  onSignal(listener: (signal: 'SIGINT' | 'SIGTERM') => void): () => void;
  /** Calls `listener` before Ctrl-Z stops the process, until the returned function is called. */
  onStop(listener: () => void): () => void;
  exitCode: ExitCode;
}
