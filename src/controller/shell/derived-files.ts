import { join } from 'node:path';
import type { Clock } from '../../shared/kernel/clock.js';
import { codeOf } from '../../shared/kernel/errors.js';
import type { Aggregate } from '../core/aggregate.js';
import type { Manifest } from '../core/manifest.js';
import type { Summary } from '../core/summary.js';
import { reportHtml } from '../view/html/report-html.js';
import { summaryText } from '../view/summary-text.js';
import { generatorsCsv } from './generators-csv.js';
import { histogramLog } from './histogram-log.js';
import { intervalsCsv } from './intervals-csv.js';
import { replaceFile } from './replace-file.js';
import { inTurns, Turns } from './turns.js';

/** Pieces of text are written together up to here. */
const writtenAtOnce = 1 << 16;

/**
 * Writes every file that is made from the journal's records, the most valuable first, in many turns of the loop. One that
 * fails does not keep the others from being tried; the first failure is returned.
 * `onProgress` is called as pieces are made and written: large results take their time, a disk that stands still does
 * not call.
 */
export async function writeDerivedFiles(
  folder: string,
  aggregate: Aggregate,
  manifest: Manifest,
  summary: Summary,
  clock: Clock,
  onProgress: () => void = () => undefined,
): Promise<unknown> {
  const formats = aggregate.run?.plan.results.formats ?? [];
  const files: [string, Iterable<string>][] = [
    ['run.json', manifest.chunks(summary)],
    ['summary.txt', [summaryText(summary, {})]],
  ];
  if (formats.includes('json')) {
    files.unshift(['summary.json', [`${JSON.stringify(summary, undefined, 2)}\n`]]);
  }
  if (formats.includes('csv')) {
    files.push(['intervals.csv', intervalsCsv(aggregate)]);
    files.push(['generators.csv', generatorsCsv(aggregate)]);
  }
  if (formats.includes('hlog')) files.push(['histograms.hlog', histogramLog(aggregate, summary)]);
  let failure: unknown;
  const write = async (name: string, content: Iterable<string>): Promise<void> => {
    try {
      await replaceFile(join(folder, name), unhurried(content, new Turns(clock), onProgress));
    } catch (thrown) {
      // Without a system's code it is a bug of ours, which must not pass for a full disk.
      if (codeOf(thrown) === undefined) throw thrown;
      failure ??= thrown;
    }
  };
  for (const [name, content] of files) await write(name, content);
  if (formats.includes('html')) {
    const page = reportHtml(aggregate, manifest.document(summary), summary);
    await write('report.html', [await inTurns(page, clock, onProgress)]);
  }
  return failure;
}

async function* unhurried(
  pieces: Iterable<string>,
  turns: Turns,
  onProgress: () => void,
): AsyncGenerator<string> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length >= writtenAtOnce) {
      yield text;
      text = '';
      onProgress();
    }
    await turns.next();
  }
  yield text;
  onProgress();
}
