import type { EndState } from '../../shared/model/agent-state.js';

/** Why an agent is FAILED: its process or runner died, it reported an error, or it cannot be reached any more. */
export type FailureReason = 'crashed' | 'error' | 'lost';

/** What a session tells the run. Phases act on them; the session has recorded them and told the user already. */
export type SessionEvent =
  | { readonly kind: 'connected'; readonly again: boolean }
  | { readonly kind: 'disconnected' }
  /** `line`: the notice for the user; the run prints it, as the phase may know better words. */
  | { readonly kind: 'failed'; readonly reason: FailureReason; readonly line: string }
  | { readonly kind: 'hung'; readonly line: string }
  /** HUNG no more. */
  | { readonly kind: 'back' }
  /** Its stage goes on without it for now: it had no stream at the stage's end. */
  | { readonly kind: 'away' }
  | { readonly kind: 'marked' }
  | { readonly kind: 'ready'; readonly stage: number }
  | { readonly kind: 'armed'; readonly stage: number; readonly epoch: number }
  | {
      readonly kind: 'missed';
      readonly stage: number;
      readonly epoch: number;
      readonly reason: string;
    }
  /** The first sign that the stage runs there. */
  | { readonly kind: 'running'; readonly stage: number }
  | { readonly kind: 'result'; readonly stage: number }
  | { readonly kind: 'cleaned' }
  | { readonly kind: 'ended'; readonly state: EndState; readonly reason: string };
