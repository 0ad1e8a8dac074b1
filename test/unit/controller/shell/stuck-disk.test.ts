import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { neighbourOf } from '../../../../src/controller/shell/replace-file.js';
import { RunResults } from '../../../../src/controller/shell/run-results.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { sampleRun } from '../../../support/recorded-run.js';

test('[RUN-18] a disk that stands still at the end does not hold the controller: the summary comes, exit 6', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'muster-stuck-'));
  t.after(() => {
    rmSync(parent, { recursive: true, force: true, maxRetries: 10 });
  });
  const clock = new ManualClock();
  const failures: string[] = [];
  const results = await RunResults.open({
    parent,
    name: 'stuck',
    configText: '',
    clock,
    onFailure: (line) => failures.push(line),
  });
  for (const record of sampleRun()) results.record(record);
  // Nobody reads this pipe, so opening it to write takes for ever, as a hung mount does.
  const pipe = neighbourOf(join(results.folder, 'summary.json'));
  execFileSync('mkfifo', [pipe]);
  const finish = results.finish();
  // The last that is written before.
  const manifest = join(results.folder, 'run.json');
  const written = (): true | undefined =>
    existsSync(manifest) && readFileSync(manifest, 'utf8').includes('"outcome": "completed"')
      ? true
      : undefined;
  await eventually('run.json is written', 60_000, written);
  clock.advance(30_000);
  const { failure, exitCode, summary } = await finish;
  assert.equal(failure, 'ERROR: Cannot write results to disk (the disk does not answer)');
  assert.deepEqual(failures, [failure]);
  assert.equal(exitCode, 6);
  assert.equal(summary.outcome, 'completed');
  // Lets the stuck open return, or the process could not end.
  await once(createReadStream(pipe).resume(), 'open');
});
