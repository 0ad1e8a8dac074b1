/**
 * `npm run bench [-- --only PERF-02,PERF-04 --pairs 5 --seconds 3 --target DIR]`: measures the rows of 3-measurement §6
 * that exist and prints them as a table (docs/benchmarks.md). Exit code 1 when a floor is not met.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { reasonOf } from '../../src/shared/kernel/errors.js';
import { simulatedAgents } from './fleet-rows.js';
import { againstFio, cachedRead, deepRead, directRead, sequential } from './file-rows.js';
import { fioVersion } from './fio-side.js';
import { latencies } from './latency-rows.js';
import { firstSecond, nullOverhead } from './null-rows.js';
import { smallFiles } from './small-file-rows.js';
import { fixedCost, startSpreads } from './start-rows.js';
import { parseOptions } from './options.js';
import type { Asked } from './options.js';
import type { BenchOptions, RowResult } from './row.js';
import { whyNotDirect } from './target.js';

interface Row {
  readonly row: string;
  readonly needs?: 'fio' | 'direct';
  readonly measure: (options: BenchOptions) => Promise<RowResult>;
}

const rows: readonly Row[] = [
  { row: 'PERF-06', measure: (o) => nullOverhead(o, 'closed') },
  { row: 'PERF-06', measure: (o) => nullOverhead(o, 'open') },
  { row: 'PERF-06', measure: (o) => nullOverhead(o, 'closed', { zipf: 1.2 }) },
  { row: 'PERF-06', measure: firstSecond },
  { row: 'PERF-01', needs: 'fio', measure: (o) => againstFio(o, cachedRead(1, false)) },
  { row: 'PERF-01', needs: 'fio', measure: (o) => againstFio(o, cachedRead(2, false)) },
  { row: 'PERF-01', needs: 'fio', measure: (o) => againstFio(o, cachedRead(1, true)) },
  { row: 'PERF-01', needs: 'fio', measure: (o) => againstFio(o, cachedRead(2, true)) },
  { row: 'PERF-02', needs: 'direct', measure: (o) => againstFio(o, directRead(8)) },
  { row: 'PERF-02', needs: 'direct', measure: (o) => againstFio(o, directRead(32)) },
  { row: 'PERF-03', needs: 'direct', measure: (o) => againstFio(o, deepRead(false)) },
  { row: 'PERF-03', needs: 'direct', measure: (o) => againstFio(o, deepRead(true)) },
  { row: 'PERF-04', needs: 'fio', measure: (o) => againstFio(o, sequential('read', false)) },
  { row: 'PERF-04', needs: 'fio', measure: (o) => againstFio(o, sequential('write', false)) },
  { row: 'PERF-04', needs: 'direct', measure: (o) => againstFio(o, sequential('read', true)) },
  { row: 'PERF-04', needs: 'direct', measure: (o) => againstFio(o, sequential('write', true)) },
  { row: 'PERF-05', needs: 'fio', measure: (o) => smallFiles(o, 'put', 'zero') },
  { row: 'PERF-05', needs: 'fio', measure: (o) => smallFiles(o, 'put', 'random') },
  { row: 'PERF-05', needs: 'fio', measure: (o) => smallFiles(o, 'get') },
  { row: 'PERF-05', needs: 'fio', measure: (o) => smallFiles(o, 'stat') },
  { row: 'PERF-05', needs: 'fio', measure: (o) => smallFiles(o, 'delete') },
  { row: 'PERF-07', measure: (o) => simulatedAgents(o, 1000, 400) },
  { row: 'PERF-08', measure: startSpreads },
  { row: 'PERF-09', measure: fixedCost },
  { row: 'XCHECK', needs: 'fio', measure: (o) => latencies(o, false, 1) },
  { row: 'XCHECK', needs: 'direct', measure: (o) => latencies(o, true, 1) },
  { row: 'XCHECK', needs: 'direct', measure: (o) => latencies(o, true, 8) },
];

const say = (line: string): void => void process.stderr.write(`${line}\n`);
const asked = askedOrExit();
// Beside the working directory, not in /tmp, which is memory on many machines.
const target = asked.target ?? fs.mkdtempSync(path.join(process.cwd(), '..', 'muster-bench-'));
const options: BenchOptions = { ...asked, target: fs.realpathSync(target) };

const fio = await fioVersion();
const noDirect = whyNotDirect(options.target);
if (noDirect !== undefined) say(noDirect);

function askedOrExit(): Asked {
  try {
    return parseOptions(process.argv.slice(2), new Set(rows.map(({ row }) => row)));
  } catch (error) {
    say(reasonOf(error));
    process.exit(2);
  }
}

function whyNot({ needs }: Row): string | undefined {
  if (needs !== undefined && fio === undefined) return 'fio is not installed';
  return needs === 'direct' ? noDirect : undefined;
}

const results: RowResult[] = [];
const leftOut = new Map<string, string>();
try {
  for (const row of rows) {
    if (asked.only !== undefined && !asked.only.has(row.row)) continue;
    const why = whyNot(row);
    if (why !== undefined) {
      leftOut.set(row.row, why);
      continue;
    }
    const result = await row.measure(options);
    results.push(result);
    const floor = result.isMet ? '' : ` (floor ${result.floor} not met)`;
    say(`${result.row} ${result.what}: ${result.result}${floor}; ${result.remark}`);
  }
} finally {
  if (asked.target === undefined) fs.rmdirSync(options.target);
}

const cpus = os.cpus();
const load = os.loadavg()[0] ?? 0;
const lines = [
  `${cpus[0]?.model.trim() ?? 'CPU'}, ${String(cpus.length)} cores, Linux ${os.release()}, Node ${process.version}, ${fio ?? 'no fio'};`,
  `${String(options.pairs)} pairs of runs of ${String(options.seconds)} s; load average at the end ${load.toFixed(1)}.`,
  '',
  '| row | what | Muster | against | result: median (range) | | floor | met |',
  '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ...results.map(
    (r) =>
      `| ${r.row} | ${r.what} | ${r.ours} | ${r.theirs} | ${r.result} | ${r.remark} | ${r.floor} | ${r.isMet ? 'yes' : 'no'} |`,
  ),
  ...Array.from(leftOut, ([row, why]) => `\n${row} left out, wholly or in part: ${why}`),
];
process.stdout.write(`${lines.join('\n')}\n`);
if (results.some(({ isMet }) => !isMet)) process.exitCode = 1;
