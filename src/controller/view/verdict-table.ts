import type { Paint } from './paint.js';
import { table, wrap } from './table.js';

/** What became of one rehearsed fault. */
export interface VerdictLine {
  readonly name: string;
  readonly fault: string;
  readonly outcome:
    | { readonly leftOut: string }
    | {
        readonly passed: boolean;
        readonly tookMs: number;
        readonly expected: string;
        readonly happened: string;
        readonly problems: readonly string[];
      };
}

const width = 110;

/** A paragraph as soon as a fault has been judged. */
export function verdictText({ name, fault, outcome }: VerdictLine, paint: Paint): string {
  const lines = [`${paint.strong(name)}: ${fault}`];
  const say = (label: string, text: string): void => {
    lines.push(...wrap(`${label.padEnd(9)} ${text}`, width));
  };
  if ('leftOut' in outcome) {
    say('left out', outcome.leftOut);
  } else {
    say('expected', outcome.expected);
    say('happened', outcome.happened);
    for (const problem of outcome.problems) say('WRONG', problem);
    lines.push(`  verdict   ${word(outcome.passed, paint)}`);
  }
  return `${lines.join('\n')}\n\n`;
}

/** All of them, and how many passed. */
export function verdictTable(verdicts: readonly VerdictLine[], paint: Paint): string {
  const rows = verdicts.map(({ name, outcome }) =>
    'leftOut' in outcome
      ? [name, '-', 'left out', outcome.leftOut]
      : [
          name,
          `${(outcome.tookMs / 1000).toFixed(1)} s`,
          outcome.passed ? 'PASS' : 'FAIL',
          outcome.problems[0] ?? outcome.happened,
        ],
  );
  const [head = '', ...body] = table([
    ['scenario', 'run', 'verdict'],
    ...rows.map((row) => row.slice(0, 3)),
  ]);
  const judged = verdicts.flatMap(({ outcome }) => ('leftOut' in outcome ? [] : [outcome.passed]));
  const passed = judged.filter(Boolean).length;
  const leftOut = verdicts.length - judged.length;
  const ending = leftOut === 0 ? '' : `, ${leftOut} left out`;
  const lines = body.map((line, index) => `${line}  ${rows[index]?.[3] ?? ''}`);
  const total = `${passed} of ${judged.length} passed${ending}`;
  const verdict = passed === judged.length ? paint.good(total) : paint.bad(total);
  return `${[`${head}  what happened`, ...lines, '', verdict].join('\n')}\n`;
}

function word(passed: boolean, paint: Paint): string {
  return passed ? paint.good('PASS') : paint.bad('FAIL');
}
