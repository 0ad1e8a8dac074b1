import type { Evidence } from './evidence.js';
import { counted } from '../../../shared/kernel/counted.js';

/** One thing that must be so after the fault. */
export interface Check {
  /** Half a sentence: "exit code 4". */
  readonly expected: string;
  /** What is wrong with it, as one sentence without a full stop; undefined when it is as expected. */
  readonly wrong: (evidence: Evidence) => string | undefined;
}

export interface Verdict {
  readonly passed: boolean;
  readonly expected: string;
  readonly happened: string;
  readonly problems: readonly string[];
}

/** Computed from what the run left behind: a check that cannot be made because something is missing has failed. */
export function judgeEvidence(evidence: Evidence, checks: readonly Check[]): Verdict {
  const notMade = evidence.notMade && `the fault could not be made: ${evidence.notMade}`;
  const problems = [notMade, ...checks.map((check) => check.wrong(evidence))].filter(
    (problem) => problem !== undefined,
  );
  return {
    passed: problems.length === 0,
    expected: checks.map(({ expected }) => expected).join('; '),
    happened: describe(evidence),
    problems,
  };
}

function describe({ exitCode, tookMs, summary, agents }: Evidence): string {
  const ended = exitCode === null ? 'controller killed' : `exit code ${exitCode}`;
  const parts = [`${ended} after ${seconds(tookMs)}`];
  if (summary) {
    const { coverage, outcome } = summary;
    parts.push(
      outcome,
      `${coverage.agents_completed}/${coverage.agents_planned} agents`,
      coverage.host_seconds_ratio === null
        ? 'host-seconds not known'
        : `${(coverage.host_seconds_ratio * 100).toFixed(1)} % of host-seconds`,
    );
  }
  const reconnects = agents.reduce((sum, agent) => sum + agent.reconnects, 0);
  if (reconnects > 0) parts.push(counted(reconnects, 'reconnect'));
  return parts.join(', ');
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
