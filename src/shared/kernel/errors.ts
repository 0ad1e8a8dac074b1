import type { ExitCode } from '../model/outcome.js';

/**
 * A failure that was foreseen: it is shown as one line (what, where, why) and an optional hint (what to do), without
 * a stack. Everything else that is thrown is a bug and ends with exit code 70.
 */
export class MusterError extends Error {
  readonly exitCode: ExitCode;
  readonly hint: string | undefined;

  constructor(message: string, options: { exitCode: ExitCode; hint?: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MusterError';
    this.exitCode = options.exitCode;
    this.hint = options.hint;
  }
}

/**
 * The one-line reason in any thrown value, without what the sentence around it says anyway: for a system error such as
 * `EROFS: read-only file system, mkdir '/mnt/x'` it is `read-only file system (EROFS)`, else the message.
 */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const system = /^([A-Z][A-Z0-9]+): (.+?)(?:, \w+(?: '.*')?)?$/s.exec(thrown.message);
  if (!system || system[1] !== codeOf(thrown)) return thrown.message;
  return `${system[2] ?? ''} (${system[1]})`;
}

/** The errno name of a Node system error (`ENOENT`), or undefined. */
export function codeOf(thrown: unknown): string | undefined {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') {
    return thrown.code;
  }
  return undefined;
}
