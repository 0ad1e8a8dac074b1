/**
 * Two machines per agent as the controller sees it: the session (what it does in the run) and the link (whether we
 * hear it). Neither reads the other's table, so a lost stream never changes what an agent is doing.
 */
import type { LinkState, SessionState } from './records.js';

/**
 * Messages travel in lanes and may overtake each other, so some moves skip a state whose message is still on the way:
 * RUNNING → READY (the READY of the next stage before DRAINING is announced), … → COMPLETED (Final is in a faster lane).
 * READY → DRAINING: the stage it waited for went on without it, and it gets ready for a later one.
 */
const sessionMoves: Readonly<Record<SessionState, readonly SessionState[]>> = {
  CONNECTING: ['IDLE', 'FAILED', 'ABORTED'],
  IDLE: ['PREPARING', 'CLEANING', 'FAILED', 'ABORTED'],
  PREPARING: ['READY', 'COMPLETED', 'FAILED', 'ABORTED'],
  READY: ['ARMED', 'DRAINING', 'CLEANING', 'COMPLETED', 'FAILED', 'ABORTED'],
  ARMED: ['RUNNING', 'READY', 'CLEANING', 'COMPLETED', 'FAILED', 'ABORTED'],
  RUNNING: ['DRAINING', 'READY', 'CLEANING', 'COMPLETED', 'FAILED', 'ABORTED'],
  DRAINING: ['READY', 'CLEANING', 'COMPLETED', 'FAILED', 'ABORTED'],
  CLEANING: ['COMPLETED', 'FAILED', 'ABORTED'],
  COMPLETED: ['CLEANING'],
  FAILED: [],
  ABORTED: [],
};

const linkMoves: Readonly<Record<LinkState, readonly LinkState[]>> = {
  CONNECTING: ['CONNECTED', 'CLOSED'],
  CONNECTED: ['DISCONNECTED', 'HUNG', 'CLOSED'],
  DISCONNECTED: ['CONNECTED', 'HUNG', 'CLOSED'],
  HUNG: ['CONNECTED', 'CLOSED'],
  CLOSED: [],
};

export function sessionMayMove(from: SessionState, to: SessionState): boolean {
  return sessionMoves[from].includes(to);
}

export function linkMayMove(from: LinkState, to: LinkState): boolean {
  return linkMoves[from].includes(to);
}

export function hasEnded(state: SessionState): boolean {
  return state === 'COMPLETED' || state === 'FAILED' || state === 'ABORTED';
}
