import { join } from 'node:path';
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

/**
 * Writes every file that is made from the journal's records, the most valuable first. One that fails does not keep the
 * others from being tried; the first failure is returned.
 * `onProgress` is called as pieces are written: large results
 * take their time, a disk that stands still does not call.
 */
export async function writeDerivedFiles(
  folder: string,
  aggregate: Aggregate,
  manifest: Manifest,
  summary: Summary,
  onProgress: () => void = () => undefined,
): Promise<unknown> {
  const formats = aggregate.run?.plan.results.formats ?? [];
  const files: [string, string | Iterable<string>][] = [
    ['run.json', manifest.toJson(summary)],
    ['summary.txt', summaryText(summary, {})],
  ];
  if (formats.includes('json')) {
    files.unshift(['summary.json', `${JSON.stringify(summary, undefined, 2)}\n`]);
  }
  if (formats.includes('csv')) {
    files.push(['intervals.csv', intervalsCsv(aggregate)]);
    files.push(['generators.csv', generatorsCsv(aggregate)]);
  }
  if (formats.includes('hlog')) files.push(['histograms.hlog', histogramLog(aggregate)]);
  if (formats.includes('html')) {
    files.push(['report.html', reportHtml(aggregate, manifest.document(summary), summary)]);
  }
  let failure: unknown;
  for (const [name, content] of files) {
    try {
      await replaceFile(join(folder, name), told(content, onProgress));
    } catch (thrown) {
      // Without a system's code it is a bug of ours, which must not pass for a full disk.
      if (codeOf(thrown) === undefined) throw thrown;
      failure ??= thrown;
    }
  }
  return failure;
}

function* told(content: string | Iterable<string>, onProgress: () => void): Generator<string> {
  for (const piece of typeof content === 'string' ? [content] : content) {
    yield piece;
    onProgress();
  }
}
