import { MusterError } from '../kernel/errors.js';
import type { AgentState } from '../model/agent-state.js';
import type { Owner, RefusalCode } from '../model/messages.js';

/**
 * Why an agent could not be had. refused, dns, network, silent: it could not be reached in time; stranger: something
 * else answers there; tls: the certificates do not fit; protocol: another protocol version; the rest is what the agent said.
 */
export type DialFailure =
  'refused' | 'dns' | 'network' | 'silent' | 'stranger' | 'tls' | 'cancelled' | RefusalCode;

export class DialError extends MusterError {
  readonly code: DialFailure;
  /** The cause alone, for a sentence that names the agent itself. */
  readonly reason: string;
  /** Of the agent that answered Hello and then did not take the session. */
  instanceId: string | undefined;
  /** There was a connection, and what it failed in came after that. */
  connected = false;
  /** What it said it was at, when it answered Hello. */
  state: AgentState | undefined;
  /** busy: whose run has the agent. */
  readonly owner: Owner | undefined;

  constructor(
    code: DialFailure,
    message: string,
    options: {
      reason?: string;
      hint?: string;
      cause?: unknown;
      owner?: Owner | undefined;
    } = {},
  ) {
    super(message, { exitCode: 3, ...options });
    this.name = 'DialError';
    this.code = code;
    this.reason = options.reason ?? message;
    this.owner = options.owner;
  }
}
