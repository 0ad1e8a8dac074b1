import type { Summary } from '../summary.js';

/** One row of intervals.csv by the names of its columns. */
export type Row = Readonly<Record<string, string>>;

/** What a verdict looks at in run.json. */
export interface AgentRecord {
  readonly id: string;
  readonly state: string;
  readonly reconnects: number;
  /** Milliseconds since the start of the run. */
  readonly links: readonly { readonly at_ms: number; readonly link: string }[];
  readonly clock: readonly { readonly offset_ns: string; readonly bound_ns: number }[];
}

/** All that a rehearsed run left behind: a verdict is computed from this and nothing else. */
export interface Evidence {
  /** Null: it was killed. */
  readonly exitCode: number | null;
  /** It did not end within so long, and was killed for that; undefined when it did. */
  readonly overdueMs: number | undefined;
  /** From the start of the controller to its end. */
  readonly tookMs: number;
  /** What the controller said to people (standard error), and its standard output. */
  readonly said: string;
  readonly printed: string;
  /** Undefined: there is no such file, or it is not whole. */
  readonly summary: Summary | undefined;
  readonly agents: readonly AgentRecord[];
  readonly rows: readonly Row[];
  /** How long after the run each agent that still lives was free for the next one; undefined: not in time. */
  readonly freeAfterMs: Readonly<Record<string, number | undefined>>;
  /** Workload processes that were still there when the agents should have been free. */
  readonly loadsLeft: readonly number[];
  /** Why the fault could not be made, when it could not. */
  readonly notMade: string | undefined;
}
