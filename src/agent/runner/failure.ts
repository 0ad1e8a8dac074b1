import { codeOf, reasonOf } from '../../shared/kernel/errors.js';
import type { AgentErrorCode } from '../../shared/model/messages.js';

/** Why the runner cannot go on: becomes the event `failed`. One sentence: what, where, why, what to do. */
export class RunnerFailure extends Error {
  readonly code: AgentErrorCode;

  constructor(code: AgentErrorCode, message: string) {
    super(message);
    this.name = 'RunnerFailure';
    this.code = code;
  }
}

/** The work was ended by an abort; not a failure. */
export class Aborted extends Error {
  constructor() {
    super('aborted');
    this.name = 'Aborted';
  }
}

const codeByErrno: Readonly<Record<string, AgentErrorCode>> = {
  ENOSPC: 'space',
  EDQUOT: 'space',
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'permission',
};

/**
 * A system error as a failure with what was being done (`cannot write data/f1`); anything else is a bug and is thrown
 * on as it is.
 */
export function failureFrom(thrown: unknown, doing: string): RunnerFailure {
  if (thrown instanceof RunnerFailure) return thrown;
  if (thrown instanceof Aborted) throw thrown;
  const errno = codeOf(thrown);
  if (errno === undefined || !(thrown instanceof Error) || !('errno' in thrown)) throw thrown;
  return new RunnerFailure(codeByErrno[errno] ?? 'target', `${doing}: ${reasonOf(thrown)}`);
}
