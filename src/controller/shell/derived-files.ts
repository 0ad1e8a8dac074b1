import { join } from 'node:path';
import type { Aggregate } from '../core/aggregate.js';
import type { Manifest } from '../core/manifest.js';
import type { Summary } from '../core/summary.js';
import { summaryText } from '../view/summary-text.js';
import { histogramLog } from './histogram-log.js';
import { intervalsCsv } from './intervals-csv.js';
import { replaceFile } from './replace-file.js';

/**
 * Writes every file that is made from the journal's records, the most valuable first. One that fails does not keep the
 * others from being tried; the first failure is returned.
 */
export async function writeDerivedFiles(
  folder: string,
  aggregate: Aggregate,
  manifest: Manifest,
  summary: Summary,
): Promise<unknown> {
  const formats = aggregate.run?.plan.results.formats ?? [];
  const files: [string, string | Iterable<string>][] = [
    ['run.json', manifest.toJson(summary)],
    ['summary.txt', summaryText(summary, {})],
  ];
  if (formats.includes('json')) {
    files.unshift(['summary.json', `${JSON.stringify(summary, undefined, 2)}\n`]);
  }
  if (formats.includes('csv')) files.push(['intervals.csv', intervalsCsv(aggregate)]);
  if (formats.includes('hlog')) files.push(['histograms.hlog', histogramLog(aggregate)]);
  let failure: unknown;
  for (const [name, content] of files) {
    try {
      await replaceFile(join(folder, name), content);
    } catch (thrown) {
      failure ??= thrown;
    }
  }
  return failure;
}
