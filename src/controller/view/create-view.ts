import { paintFor } from './paint.js';
import { ProgressBars } from './progress-bars.js';
import type { Terminal } from './progress-bars.js';
import { ProgressJson } from './progress-json.js';
import { ProgressLines } from './progress-lines.js';
import { noticeText } from './run-view.js';
import type { RunView } from './run-view.js';

export const viewModes = ['bars', 'lines', 'json', 'none'] as const;
export type ViewMode = (typeof viewModes)[number];

export interface ViewOptions {
  readonly stdout: Terminal;
  readonly stderr: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly noColor: boolean;
  /** Show what is at level debug, too. */
  readonly verbose: boolean;
}

/** Bars where they can be drawn, else lines. */
export function defaultViewMode(options: Pick<ViewOptions, 'stderr' | 'env'>): ViewMode {
  return options.stderr.isTTY === true && options.env['TERM'] !== 'dumb' ? 'bars' : 'lines';
}

/** Progress goes to standard error, so that standard output has the summary alone (or NDJSON alone). */
export function createView(mode: ViewMode, options: ViewOptions): RunView {
  const { stdout, stderr, verbose } = options;
  const toPeople = (text: string): unknown => stderr.write(text);
  switch (mode) {
    case 'bars':
      // Without a terminal there is nothing to draw on.
      if (stderr.isTTY !== true) return new ProgressLines(toPeople, verbose);
      return new ProgressBars(stderr, paintFor(stderr, options.env, options.noColor), verbose);
    case 'lines':
      return new ProgressLines(toPeople, verbose);
    case 'json':
      return new ProgressJson((text) => stdout.write(text), toPeople, verbose);
    case 'none':
      return onlyTrouble(toPeople);
  }
}

/** No progress; what went wrong is still said. */
function onlyTrouble(write: (text: string) => unknown): RunView {
  return {
    update: () => undefined,
    notice: (level, line) => {
      if (level === 'warn' || level === 'error') write(`${noticeText(level, line)}\n`);
    },
    close: () => undefined,
  };
}
