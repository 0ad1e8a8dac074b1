import type { FailureReason } from './session-events.js';

/** What a watch is told about the agent it watches. */
export interface Heard {
  readonly nowMs: number;
  /** When anything last came from the agent. */
  readonly heardAtMs: number;
  /** Its stream is open. */
  readonly connected: boolean;
  /** It has been given work that it has not finished. */
  readonly isWorking: boolean;
  /** It says that its runner is silent: it will report the end of that itself. */
  readonly runnerSilent: boolean;
}

export type Verdict =
  | { readonly kind: 'warn'; readonly line: string }
  /** Ask whether it is there; `line`: also tell the user. */
  | { readonly kind: 'ping'; readonly line: string | undefined }
  | { readonly kind: 'hung'; readonly line: string }
  | { readonly kind: 'fail'; readonly reason: FailureReason; readonly line: string }
  /** Without a stream at the end of the stage: the stage does not wait, the agent may still come back. */
  | { readonly kind: 'away'; readonly line: string };

/**
 * Judges one agent's silence, or its standing still, in one part of the run. Checking early or late does no harm: each
 * check looks at the instants again. A verdict is given once, not at every check.
 */
export interface Watch {
  check(heard: Heard): Verdict | undefined;
  wakeAt(heard: Heard): number | undefined;
  /** The controller slept for `ms`: its own absence is not the agent's. */
  shift(ms: number): void;
}
