import type { AgentMessage, MessageKind } from '../../shared/model/messages.js';

/** Progress and heartbeats are kept at this interval, and what is kept is flushed to the disk as often. */
export const checkpointEveryMs = 5_000;

/** always: the course of the run and its numbers. sometimes: how far it is, one in `checkpointEveryMs`. */
type Keep = 'always' | 'sometimes' | 'never';

const keep: { readonly [K in AgentMessage['kind']]: Keep } = {
  state: 'always',
  ready: 'always',
  armed: 'never',
  missed: 'never',
  target: 'never',
  marked: 'never',
  started: 'always',
  interval: 'always',
  stageResult: 'always',
  cleaned: 'always',
  checked: 'never',
  final: 'always',
  error: 'always',
  progress: 'sometimes',
  heartbeat: 'sometimes',
  log: 'never',
  linkReport: 'always',
  nak: 'never',
  ping: 'never',
  pong: 'never',
  goodbye: 'never',
  welcome: 'never',
  refused: 'never',
  probeReply: 'never',
  checkpoint: 'never',
};

/** Which of an agent's messages to its controller go to the spool as well. One per run. */
export class Spooled {
  readonly #keptAtMs = new Map<MessageKind, number>();

  wants(kind: AgentMessage['kind'], nowMs: number): boolean {
    if (keep[kind] !== 'sometimes') return keep[kind] === 'always';
    const last = this.#keptAtMs.get(kind);
    if (last !== undefined && nowMs - last < checkpointEveryMs) return false;
    this.#keptAtMs.set(kind, nowMs);
    return true;
  }
}
