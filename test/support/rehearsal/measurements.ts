/** Checks and samples that only the stress scenarios use. */
import { readFileSync } from 'node:fs';
import type { Check } from '../../../src/controller/core/rehearsal/verdict.js';
import type { Evidence } from '../../../src/controller/core/rehearsal/evidence.js';
import type {
  Progress,
  RehearsedRun,
} from '../../../src/controller/shell/rehearsal/rehearsed-run.js';
import { codeOf } from '../../../src/shared/kernel/errors.js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';

/** While the stages run, no agent is silent for longer, as the controller shows it. */
export function neverSilentFor(ms: number): Check {
  return {
    expected: `no agent silent for ${ms / 1000} s`,
    wrong: (evidence) => {
      const { id, silentMs } = longestSilence(evidence);
      return silentMs > ms ? `${id} was silent for ${(silentMs / 1000).toFixed(1)} s` : undefined;
    },
  };
}

export function longestSilence({ printed }: Evidence): { id: string; silentMs: number } {
  let longest = { id: 'nobody', silentMs: 0 };
  for (const line of printed.split('\n')) {
    if (!line.startsWith('{"type":"progress"')) continue;
    const { phase, agents } = JSON.parse(line) as Progress;
    if (phase !== 'running') continue;
    for (const { id, silent_ms: silentMs } of agents) {
      if (silentMs > longest.silentMs) longest = { id, silentMs };
    }
  }
  return longest;
}

/** [LINK-01] Of agents that were cut at once, at most `share` are back within the same `windowMs`. */
export function notInStep(windowMs: number, share: number): Check {
  return {
    expected: `not more than ${share * 100} % of the agents back within the same ${windowMs} ms`,
    wrong: ({ agents }) => {
      const backAtMs = agents.flatMap(({ links }) => {
        const cut = links.findIndex(({ link }) => link === 'DISCONNECTED');
        return cut < 0
          ? []
          : (links.slice(cut).find(({ link }) => link === 'CONNECTED')?.at_ms ?? []);
      });
      if (backAtMs.length < agents.length) return `only ${backAtMs.length} agents came back`;
      const most = Math.max(
        ...backAtMs.map(
          (from) => backAtMs.filter((at) => at >= from && at < from + windowMs).length,
        ),
      );
      if (most <= agents.length * share) return undefined;
      return `${most} of ${agents.length} agents were back within the same ${windowMs} ms`;
    },
  };
}

/** The most memory a run's controller has had, sampled until it ends (Linux). */
export class PeakMemory {
  bytes = 0;

  async watch(run: RehearsedRun): Promise<void> {
    while (run.process.running) {
      this.bytes = Math.max(this.bytes, residentBytes(run.process.pid));
      await new Promise<void>((resolve) => systemClock.after(250, resolve));
    }
  }

  below(mebibytes: number): Check {
    return {
      expected: `the controller needs less than ${mebibytes} MiB`,
      wrong: () => {
        const used = Math.round(this.bytes / 2 ** 20);
        if (used === 0) return 'the memory of the controller was not seen';
        return used < mebibytes ? undefined : `the controller needed ${used} MiB`;
      },
    };
  }
}

/** Zero for a process that has just ended. */
export function residentBytes(pid: number): number {
  try {
    const [, kib] = /^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kib ?? 0) * 1024;
  } catch (thrown) {
    if (codeOf(thrown) === 'ENOENT' || codeOf(thrown) === 'ESRCH') return 0;
    throw thrown;
  }
}
