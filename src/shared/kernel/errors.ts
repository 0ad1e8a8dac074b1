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

/** The one-line reason in any thrown value: `code: message` for system errors, the message for others. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  return String(thrown);
}

/** The errno name of a Node system error (`ENOENT`), or undefined. */
export function codeOf(thrown: unknown): string | undefined {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') {
    return thrown.code;
  }
  return undefined;
}
