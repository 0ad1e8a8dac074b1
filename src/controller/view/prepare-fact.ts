import { counted, nounFor } from '../../shared/kernel/counted.js';
import type { Summary } from '../core/summary.js';
import { bytes, count, instant, rate } from './format.js';

/** `prepared 16 files, 128 MiB in 0.912 s (140 MiB/s, 17.5 files/s)`; nothing without a dataset. */
export function prepareFact({ prepare, coverage }: Summary): readonly string[] {
  if (prepare === null) return [];
  const { agents, files, files_kept: kept } = prepare;
  const planned = coverage.agents_planned;
  const by = agents < planned ? ` (${String(agents)} of ${counted(planned, 'agent')})` : '';
  const there = `${count(kept)} ${nounFor(kept, 'file was', 'files were')} there already`;
  if (files === 0) return [`prepared nothing: ${there}${by}`];
  const speeds = [
    ...(prepare.bytes > 0 ? [`${bytes(prepare.bytes_per_second)}/s`] : []),
    `${rate(prepare.files_per_second)} files/s`,
  ];
  const what = `${count(files)} ${nounFor(files, 'file', 'files')}, ${bytes(prepare.bytes)}`;
  const more = kept > 0 ? `; ${there}` : '';
  return [`prepared ${what} in ${instant(prepare.seconds)} (${speeds.join(', ')})${by}${more}`];
}
