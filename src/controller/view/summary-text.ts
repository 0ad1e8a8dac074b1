import type { Outcome } from '../../shared/model/outcome.js';
import type { StageSummary, Summary } from '../core/summary.js';
import { agentTable } from './agent-table.js';
import { clock, count, hostSeconds, instant } from './format.js';
import { operationTable, syncLines } from './operation-table.js';
import { noPaint } from './paint.js';
import type { Paint } from './paint.js';
import { measuredText } from './measured-text.js';
import { prepareFact } from './prepare-fact.js';
import { mechanismFacts, rateFact, survivorsFact, warmupFact } from './stage-facts.js';
import { startFact } from './start-fact.js';
import { wrap } from './table.js';
import { counted, nounFor } from '../../shared/kernel/counted.js';

export interface TextOptions {
  /** Characters in a line; 120 by default. */
  readonly width?: number | undefined;
  readonly paint?: Paint;
  /** Rows of the per-agent tables, the most remarkable first; all by default. */
  readonly mostAgents?: number;
}

/** The summary for people: the verdict first. Ends with a line end. */
export function summaryText(summary: Summary, options: TextOptions): string {
  const width = Math.max(40, options.width ?? 120);
  const paint = options.paint ?? noPaint;
  const mostAgents = options.mostAgents ?? Infinity;
  const lines = [
    ...verdict(summary, paint, width),
    ...summary.stages.flatMap((stage) => ['', ...stageText(stage, width, paint, mostAgents)]),
    ...(hasWorked(summary) ? thresholds(summary, paint) : []),
    ...warnings(summary, paint, width),
  ];
  return `${lines.join('\n')}\n`;
}

/** Thresholds of a run that did no work say nothing. */
function hasWorked({ stages }: Summary): boolean {
  return stages.some((stage) => stage.agents_started > 0);
}

function verdict(summary: Summary, paint: Paint, width: number): readonly string[] {
  const { coverage, run, reason, expectations } = summary;
  const missed = expectations.filter(({ passed }) => !passed).length;
  const word = verdictPaint(summary.outcome, paint)(paint.strong(summary.outcome.toUpperCase()));
  const facts = [
    `${String(coverage.agents_completed)} of ${counted(coverage.agents_planned, 'agent')} completed`,
    hostSeconds(coverage.host_seconds_ratio),
    clock(run.elapsed_s),
    `seed ${String(run.seed)}`,
    `exit code ${String(summary.exit_code)}`,
  ];
  if (run.mode !== 'run') facts.splice(1, 1);
  // The word is painted after wrapping: its colour has no width.
  const plain = summary.outcome.toUpperCase();
  const headline = wrap(`${plain} ${run.name}${reason === null ? '' : `: ${reason}`}`, width, '');
  const lines = headline.map((line, index) => (index === 0 ? line.replace(plain, word) : line));
  lines.push(...[facts.join(', '), ...prepareFact(summary)].flatMap((fact) => wrap(fact, width)));
  if (!summary.representative) lines.push(`  ${paint.bad('NOT REPRESENTATIVE')}`);
  if (missed > 0 && hasWorked(summary)) {
    const of = `${String(missed)} of ${counted(expectations.length, 'threshold')}`;
    lines.push(`  ${paint.bad(`${of} FAILED`)}`);
  }
  return lines;
}

function verdictPaint(outcome: Outcome, paint: Paint): (text: string) => string {
  if (outcome === 'completed') return paint.good;
  return outcome === 'partial' || outcome === 'interrupted' ? paint.warn : paint.bad;
}

function stageText(
  stage: StageSummary,
  width: number,
  paint: Paint,
  mostAgents: number,
): readonly string[] {
  const title = paint.strong(`Stage ${stage.name}`);
  if (stage.agents_started === 0) return [`${title}: not started`];
  return [
    title,
    ...wrap(stage.workload, width),
    ...wrap(stageFacts(stage), width),
    ...[...mechanismFacts(stage), ...rateFact(stage), ...survivorsFact(stage)].flatMap((fact) =>
      wrap(fact, width),
    ),
    '',
    ...operationTable(stage, width),
    ...syncLines(stage, width),
    ...errorLines(stage, paint),
    ...agentTable(stage, width, paint, mostAgents),
  ];
}

function stageFacts(stage: StageSummary): string {
  const facts = [`${String(stage.agents_completed)} of ${counted(stage.agents_started, 'agent')}`];
  const { first_done_s: first, last_done_s: last, straggler } = stage;
  facts.push(...startFact(stage, '+-'));
  if (first !== null && last !== null) {
    if (straggler === null) facts.push(`done after ${instant(last)}`);
    else {
      facts.push(`first done ${instant(first)}`);
      facts.push(`last done ${instant(last)} (${straggler})`);
    }
  }
  facts.push(...warmupFact(stage));
  const over = stage.rate_seconds;
  facts.push(
    over > 0 ? `rates over ${String(over)} common seconds` : 'rates are total / last done',
  );
  return facts.join(', ');
}

function errorLines(stage: StageSummary, paint: Paint): readonly string[] {
  return Object.entries(stage.operations).flatMap(([operation, numbers]) => {
    if (numbers.errors === 0) return [];
    const codes = Object.entries(numbers.error_codes).map(([code, n]) => `${code} ${count(n)}`);
    return [
      paint.bad(
        `  ${operation}: ${count(numbers.errors)} ${nounFor(numbers.errors, 'error')} (${codes.join(', ')})`,
      ),
    ];
  });
}

function thresholds(summary: Summary, paint: Paint): readonly string[] {
  if (summary.expectations.length === 0) return [];
  return [
    '',
    paint.strong('Thresholds'),
    ...summary.expectations.map((threshold) => {
      const { text, passed } = threshold;
      const verdict = passed ? paint.good('ok    ') : paint.bad('FAILED');
      return `  ${verdict}  ${text}  (measured ${measuredText(threshold)})`;
    }),
  ];
}

function warnings(summary: Summary, paint: Paint, width: number): readonly string[] {
  if (summary.warnings.length === 0) return [];
  const lines = summary.warnings.flatMap((warning) => wrap(`- ${warning}`, width));
  return ['', paint.warn('Warnings'), ...lines];
}
