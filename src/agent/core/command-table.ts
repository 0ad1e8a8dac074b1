/**
 * What each command does in each state (2-protocol §3): a closed table, so a command can neither restart nor kill a
 * run it was not meant for. Replay after a reconnect and a confused controller look the same from here.
 */
import type { AgentState } from '../../shared/model/agent-state.js';
import type { ControllerMessage } from '../../shared/model/messages.js';

export const commands = ['prepare', 'start', 'go', 'share', 'abort', 'cleanup'] as const;
export type CommandKind = (typeof commands)[number];
export type Command = Extract<ControllerMessage, { kind: CommandKind }>;

/** `duplicate` and `ignore` both do nothing; they differ in what the log says. */
export type Reaction = 'carryOut' | 'duplicate' | 'ignore';

type Row = { readonly [C in CommandKind]: Reaction };

const nothing: Row = {
  prepare: 'ignore',
  start: 'ignore',
  go: 'ignore',
  share: 'ignore',
  abort: 'ignore',
  cleanup: 'ignore',
};

export const commandTable: { readonly [S in AgentState]: Row } = {
  IDLE: { ...nothing, prepare: 'carryOut', abort: 'carryOut' },
  PREPARING: { ...nothing, abort: 'carryOut' },
  READY: {
    ...nothing,
    start: 'carryOut',
    share: 'carryOut',
    abort: 'carryOut',
    cleanup: 'carryOut',
  },
  // A Start with a higher epoch replaces the one that is armed; the machine compares the epochs.
  ARMED: { ...nothing, start: 'carryOut', go: 'carryOut', share: 'carryOut', abort: 'carryOut' },
  RUNNING: {
    ...nothing,
    start: 'duplicate',
    go: 'duplicate',
    share: 'carryOut',
    abort: 'carryOut',
  },
  DRAINING: { ...nothing, share: 'carryOut', abort: 'carryOut' },
  CLEANING: { ...nothing, abort: 'carryOut', cleanup: 'duplicate' },
  COMPLETED: { ...nothing, cleanup: 'carryOut' },
  FAILED: nothing,
  ABORTED: { ...nothing, abort: 'duplicate' },
};

/** The line for a command that is not carried out. */
export function refusalLine(command: CommandKind, state: AgentState, reaction: Reaction): string {
  const name = command.toUpperCase();
  return reaction === 'duplicate'
    ? `Ignoring duplicate ${name} command (already ${state})`
    : `Ignoring ${name} command in state ${state}`;
}
