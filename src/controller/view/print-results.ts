import type { Summary } from '../core/summary.js';
import type { ViewMode, ViewOptions } from './create-view.js';
import { paintFor } from './paint.js';
import { summaryJson } from './progress-json.js';
import { summaryText } from './summary-text.js';

/** More rows than this scroll the verdict off the screen; summary.txt has them all. */
const mostAgents = 20;

export interface ResultsToPrint {
  readonly folder: string;
  readonly summary: Summary;
  /** `ERROR: Cannot write results to disk (…)`, when not everything is in the folder. */
  readonly failure: string | undefined;
}

/**
 * The end of a run as the user sees it: the summary on standard output (on standard error when standard output is
 * NDJSON, which then ends with the summary object), and where the files are, or that they are not [RUN-18].
 */
export function printResults(results: ResultsToPrint, mode: ViewMode, options: ViewOptions): void {
  const { folder, summary, failure } = results;
  const { stdout, stderr } = options;
  if (mode === 'json') stdout.write(summaryJson(summary, failure === undefined ? folder : null));
  const people = mode === 'json' ? stderr : stdout;
  if (failure !== undefined) {
    stderr.write(`${failure}\n`);
    people.write('=== RESULTS (DISK WRITE FAILED) ===\n');
  }
  const paint = paintFor(people, options.env, options.noColor);
  // Without a file that has them all, all agents are printed.
  const most = failure === undefined && people.isTTY === true ? { mostAgents } : {};
  people.write(summaryText(summary, { width: people.columns, paint, ...most }));
  if (failure === undefined) people.write(`\nResults written to ${folder}\n`);
}
