import type { AgentTrack } from './stage-track.js';

/** What the run did for its dataset to be there. */
export interface PrepareSummary {
  /** Those that have told that their part is there: all the other numbers are of them. */
  readonly agents: number;
  /** Made by this run. */
  readonly files: number;
  /** Written into them. */
  readonly bytes: number;
  /** Files that were there already. */
  readonly files_kept: number;
  /** Of the agent that took longest. */
  readonly seconds: number;
  readonly files_per_second: number;
  readonly bytes_per_second: number;
}

/** Null when no agent has told of it: there was no dataset to make, or none was made. */
export function prepareSummary(
  agents: readonly Pick<AgentTrack, 'prepared'>[],
): PrepareSummary | null {
  const told = agents.flatMap(({ prepared }) => prepared ?? []);
  if (told.length === 0) return null;
  const sum = (key: 'files' | 'bytes' | 'kept'): number =>
    told.reduce((total, prepared) => total + prepared[key], 0);
  const [files, bytes] = [sum('files'), sum('bytes')];
  const seconds = Math.max(...told.map(({ tookNs }) => tookNs)) / 1e9;
  const perSecond = (total: number): number => (seconds > 0 ? rounded(total / seconds) : 0);
  return {
    agents: told.length,
    files,
    bytes,
    files_kept: sum('kept'),
    seconds: rounded(seconds),
    files_per_second: perSecond(files),
    bytes_per_second: perSecond(bytes),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
