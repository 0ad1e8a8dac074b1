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
 * `EROFS: read-only file system, mkdir '/mnt/x'` it is `read-only file system (EROFS)`, for `listen EADDRINUSE: address
 * already in use 127.0.0.1:80` without the address, else the message.
 */
export function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const unnamed = unnamedErrorOf(thrown);
  if (unnamed !== undefined) return `${unnamed.words} (${unnamed.code})`;
  const system = /^(?:[a-z]+ )?([A-Z][A-Z0-9]+): (.+?)(?: \S*:\d+)?(?:, \w+(?: '.*')?)?$/s.exec(
    thrown.message,
  );
  if (!system || system[1] !== codeOf(thrown)) return thrown.message;
  return `${system[2] ?? ''} (${system[1]})`;
}

/** The errno name of a Node system error (`ENOENT`), or undefined. */
export function codeOf(thrown: unknown): string | undefined {
  if (thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string') {
    return unnamedErrorOf(thrown)?.code ?? thrown.code;
  }
  return undefined;
}

/** What Linux answers for storage, and Node (its libuv) has no name for: `Unknown system error -122`. */
export const unnamedErrors = [
  { errno: -37, code: 'ENOLCK', words: 'no locks available' },
  { errno: -74, code: 'EBADMSG', words: 'bad message' },
  { errno: -116, code: 'ESTALE', words: 'stale file handle' },
  { errno: -117, code: 'EUCLEAN', words: 'structure needs cleaning' },
  { errno: -122, code: 'EDQUOT', words: 'disk quota exceeded' },
] as const;

function unnamedErrorOf(thrown: Error): (typeof unnamedErrors)[number] | undefined {
  if (!('errno' in thrown && 'code' in thrown)) return undefined;
  // Of reads and writes (`UNKNOWN`) only the number tells.
  if (!/^Unknown system error|^UNKNOWN$/.test(String(thrown.code))) return undefined;
  return unnamedErrors.find(({ errno }) => errno === thrown.errno);
}
