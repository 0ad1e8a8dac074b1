/** What a verdict is made of. Each looks at the evidence alone. */
import type { Outcome } from '../../../shared/model/outcome.js';
import { operationsOf, sumsProblem, timeLineProblem } from './sums.js';
import type { Check } from './verdict.js';
import { counted } from '../../../shared/kernel/counted.js';

export function exits(code: number): Check {
  return {
    expected: `exit code ${code}`,
    wrong: ({ exitCode, overdueMs, summary, said }) => {
      if (exitCode === code) return undefined;
      if (overdueMs !== undefined) return `the run did not end within ${overdueMs / 1000} s`;
      return `exit code ${exitCode ?? 'none'}: ${summary?.reason ?? lastWords(said)}`;
    },
  };
}

/** The results call themselves what they are. */
export function labelled(outcome: Outcome): Check {
  return {
    expected: `results labelled ${outcome}`,
    wrong: ({ summary }) => {
      if (!summary) return 'there is no summary.json';
      return summary.outcome === outcome ? undefined : `results labelled ${summary.outcome}`;
    },
  };
}

export function completed(count: number): Check {
  return {
    expected: counted(count, 'agent completes', 'agents complete'),
    wrong: ({ summary }) => {
      const found = summary?.coverage.agents_completed;
      return found === count
        ? undefined
        : `${found === undefined ? 'nobody knows how many agents' : counted(found, 'agent')} completed`;
    },
  };
}

export const sumsAgree: Check = { expected: 'all sums agree', wrong: sumsProblem };

/** Every second of these agents is there once, in every stage. */
export function wholeTimeLines(agents: readonly string[]): Check {
  return {
    expected: `${agents.length === 1 ? (agents[0] ?? '') : `${agents.length} agents`}: no second missing or doubled`,
    wrong: (evidence) => {
      if (!evidence.summary) return 'there is no summary.json';
      return firstOf(evidence.summary.stages, ({ name }) =>
        firstOf(agents, (agent) => timeLineProblem(evidence, agent, name)),
      );
    },
  };
}

/** What a lost agent did before is not lost with it. */
export function keepsNumbersOf(agent: string): Check {
  return {
    expected: `the numbers of ${agent} are kept`,
    wrong: (evidence) =>
      operationsOf(evidence, agent) > 0 ? undefined : `no operation of ${agent} is in the results`,
  };
}

/** Every agent stopped because it was told to, and said so. */
export const stoppedByAbort: Check = {
  expected: 'every agent reports that it was aborted',
  wrong: ({ summary }) => {
    const agents = Object.entries(summary?.stages.at(-1)?.agents ?? {});
    if (agents.length === 0) return 'there is no agent in the results';
    const other = agents.find(([, { ended_by }]) => ended_by !== 'aborted');
    return other && `the load of ${other[0]} ended by ${other[1].ended_by ?? 'nobody knows what'}`;
  },
};

export function says(words: RegExp, expected: string): Check {
  return {
    expected,
    wrong: ({ said }) => (words.test(said) ? undefined : `the controller did not say ${words}`),
  };
}

export function neverSays(words: RegExp, expected: string): Check {
  return {
    expected,
    wrong: ({ said }) => {
      const [found] = words.exec(said) ?? [];
      return found === undefined ? undefined : `the controller said "${lineWith(said, found)}"`;
    },
  };
}

/** Nobody was taken for lost, hung or crashed. */
export const nobodyAccused = neverSays(
  /crashed|hung|did not come back|disconnected|Invalid transition/,
  'no false alarm',
);

export function prints(words: RegExp, expected: string): Check {
  return {
    expected,
    wrong: ({ printed }) => (words.test(printed) ? undefined : `not printed: ${words}`),
  };
}

export function reconnected(agent: string, atLeast = 1): Check {
  return {
    expected: `${agent} reconnects`,
    wrong: ({ agents }) => {
      const found = agents.find(({ id }) => id === agent)?.reconnects ?? 0;
      return found >= atLeast ? undefined : `${agent} reconnected ${counted(found, 'time')}`;
    },
  };
}

/** Every agent that lives can be had by the next run, and nothing loads the storage any more. */
export function freeWithin(ms: number): Check {
  return {
    expected: `agents free and no load left within ${ms / 1000} s`,
    wrong: ({ freeAfterMs, loadsLeft }) => {
      const late = Object.entries(freeAfterMs).find(
        ([, after]) => after === undefined || after > ms,
      );
      if (late) return `${late[0]} was not free within ${ms / 1000} s`;
      const [left] = loadsLeft;
      return left === undefined ? undefined : `workload process ${left} was left behind`;
    },
  };
}

/** The measured offsets are the true ones (agents' clock minus controller's), within the bound they claim. */
export function knowsClocks(shiftsMs: readonly number[]): Check {
  return {
    expected: 'the clocks’ offsets are within their bounds',
    wrong: ({ agents }) =>
      firstOf(agents, ({ id, clock }, index) => {
        const last = clock.at(-1);
        if (!last) return `nothing is known of the clock of ${id}`;
        const errorNs = Math.abs(Number(last.offset_ns) - (shiftsMs[index] ?? 0) * 1e6);
        if (errorNs <= last.bound_ns + slackNs) return undefined;
        return `the clock of ${id} is known to ${errorNs / 1e6} ms, claimed ${last.bound_ns / 1e6} ms`;
      }),
  };
}

/** Clock shifts are planted with a resolution of this. */
const slackNs = 1e6;

export function startsWithin(ms: number): Check {
  return {
    expected: `starts less than ${ms} ms apart`,
    wrong: ({ summary }) => {
      const start = summary?.stages[0]?.start;
      if (!start) return 'no start was measured';
      const spreadMs = start.spread_ns / 1e6;
      return spreadMs <= ms ? undefined : `starts ${spreadMs.toFixed(1)} ms apart`;
    },
  };
}

/** What holds after every fault: the results add up, and the agents are free again. */
export function always(freeMs = 15_000): readonly Check[] {
  return [sumsAgree, freeWithin(freeMs)];
}

function firstOf<T>(
  list: readonly T[],
  problem: (one: T, index: number) => string | undefined,
): string | undefined {
  for (const [index, one] of list.entries()) {
    const found = problem(one, index);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Why a program ended, by its own words: a hint follows the error. */
function lastWords(text: string): string {
  const lines = text.trimEnd().split('\n');
  return lines.findLast((line) => line.startsWith('ERROR: ')) ?? lines.at(-1) ?? '';
}

function lineWith(text: string, words: string): string {
  return text.split('\n').find((line) => line.includes(words)) ?? words;
}
