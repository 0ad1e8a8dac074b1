import type { Check } from '../../core/rehearsal/verdict.js';
import type { RehearsalAgents } from './rehearsal-agents.js';
import type { RehearsedRun } from './rehearsed-run.js';
import type { SmallDisk } from './small-disk.js';

/** What a scenario may use to make its fault. */
export interface Scene {
  readonly agents: RehearsalAgents;
  readonly run: RehearsedRun;
  /** Where the results go, when the scenario asked for a small disk. */
  readonly disk: SmallDisk | undefined;
}

/** One rehearsed fault: a run, what is done to it, and what must be so afterwards. */
export interface Scenario {
  readonly name: string;
  /** What is done, as one sentence without a full stop. */
  readonly fault: string;
  /** Three when left out. */
  readonly agentCount?: number;
  /** Of load; four when left out. */
  readonly seconds?: number;
  /** Of all agents, such as `null:`; a folder of its own for each when left out. */
  readonly target?: string;
  /** Over `shortTimeouts`. */
  readonly timeouts?: Readonly<Record<string, string>>;
  /** Any other key of the config. */
  readonly config?: object;
  /** Milliseconds by which an agent's clocks are off, by index. */
  readonly clockShiftsMs?: readonly number[];
  readonly onSmallDisk?: boolean;
  /** Before the controller starts: what the links are like from the first byte on. */
  readonly arrange?: (agents: RehearsalAgents) => void;
  /** Makes the fault; an Error says that it could not be made. */
  readonly act: (scene: Scene) => Promise<void>;
  /** After the run's end, before the agents are looked at. */
  readonly afterwards?: (scene: Scene) => Promise<void>;
  readonly checks: readonly Check[];
  /** For the run to end, from its start; a minute when left out. */
  readonly deadlineMs?: number;
}

/** Far below the defaults, far above what a loaded machine takes to answer. */
export const shortTimeouts: Readonly<Record<string, string>> = {
  ping_after: '4s',
  hung_after: '2s',
  prepare_silence: '10s',
  collect: '4s',
  drain: '4s',
  reconnect_window: '4s',
  lease: '8s',
};
