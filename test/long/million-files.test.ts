import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fleet } from '../support/fleet.js';
import { makeAndRemove } from '../support/many-files.js';
import { machine, writeReport } from '../support/rehearsal/long-report.js';

const MiB = 1024 ** 2;
const few = 10_000;
const many = Number(process.env['MUSTER_LONG_FILES'] ?? '1000000');
/** 64 bytes for each file that an agent makes would be more. */
const mostGrowth = 32 * MiB;

test(`[SAFE-03] [RUN-16] ${many} files by two agents take no more memory than ${few}, show how far they are, and are all that is removed`, async (t) => {
  const fleet = await Fleet.start(t, { count: 2 });
  const small = await makeAndRemove(fleet, few);
  const large = await makeAndRemove(fleet, many);
  const row = (files: number, of: typeof small): string =>
    `| ${files} | ${[of.prepareS, of.cleanupS].map((s) => `${s.toFixed(0)} s`).join(' | ')} | ${of.progress.length} | ${[of.agentPeakBytes, of.peakBytes].map((bytes) => `${(bytes / MiB).toFixed(0)} MiB`).join(' | ')} |`;
  const report = [
    '| files | prepare | cleanup | times that progress was told | most memory of an agent | of its workload process |',
    '| ---: | --- | --- | --- | --- | --- |',
    row(few, small),
    row(many, large),
    '',
    `${machine()}.`,
    '',
  ];
  writeReport('many-files.md', report.join('\n'));
  t.diagnostic(report.join('\n'));
  assert.ok(large.peakBytes - small.peakBytes < mostGrowth);
  assert.ok(large.agentPeakBytes - small.agentPeakBytes < mostGrowth);
  const { progress } = large;
  assert.ok(progress.length > 20 && new Set(progress).size > progress.length / 2, 'it moves on');
  assert.ok(progress.every((done, i) => done >= (progress[i - 1] ?? 0)));
});
