/**
 * `npm run bench [-- --pairs 5 --seconds 3 --target DIR]`: measures the rows of 3-measurement §6 that exist and prints
 * them as a table (docs/benchmarks.md). Exit code 1 when a floor is not met.
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fioVersion } from './fio-side.js';
import { cachedRead, firstSecond, nullOverhead } from './rows.js';
import type { BenchOptions, RowResult } from './rows.js';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    target: { type: 'string' },
  },
});

const target = values.target ?? fs.mkdtempSync(path.join(os.tmpdir(), 'muster-bench-'));
const options: BenchOptions = {
  target: fs.realpathSync(target),
  pairs: Number(values.pairs),
  seconds: Number(values.seconds),
};

const fio = await fioVersion();
const rows: RowResult[] = [];

function done(row: RowResult): void {
  rows.push(row);
  process.stderr.write(
    `${row.row} ${row.what}: ${row.result}${row.isMet ? '' : ' (floor not met)'}\n`,
  );
}

done(await nullOverhead(options, 'closed'));
done(await nullOverhead(options, 'open'));
done(await firstSecond(options));
if (fio === undefined) process.stderr.write('PERF-01 left out: fio is not installed\n');
else {
  for (const noatime of [false, true]) {
    for (const threads of [1, 2]) done(await cachedRead(options, threads, noatime));
  }
}
if (values.target === undefined) fs.rmdirSync(options.target);

const cpus = os.cpus();
const load = os.loadavg()[0] ?? 0;
const lines = [
  `${cpus[0]?.model.trim() ?? 'CPU'}, ${String(cpus.length)} cores, Linux ${os.release()}, Node ${process.version}, ${fio ?? 'no fio'};`,
  `${String(options.pairs)} pairs of runs of ${String(options.seconds)} s; load average at the end ${load.toFixed(1)}.`,
  '',
  '| row | what | Muster | against | result: median (range) | | floor | met |',
  '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ...rows.map(
    (r) =>
      `| ${r.row} | ${r.what} | ${r.ours} | ${r.theirs} | ${r.result} | ${r.remark} | ${r.floor} | ${r.isMet ? 'yes' : 'no'} |`,
  ),
];
process.stdout.write(`${lines.join('\n')}\n`);
if (rows.some(({ isMet }) => !isMet)) process.exitCode = 1;
