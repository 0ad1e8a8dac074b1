import assert from 'node:assert/strict';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { encodeRecord } from '../../src/controller/shell/journal-codec.js';
import { RunResults } from '../../src/controller/shell/run-results.js';
import { keepSecret } from '../../src/controller/shell/run-secret.js';
import type { Cancel } from '../../src/shared/kernel/clock.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { controller } from '../support/cli-run.js';
import { Program } from '../support/program.js';
import { sampleRun } from '../support/recorded-run.js';

const parent = mkdtempSync(join(tmpdir(), 'muster-report-'));
after(() => {
  rmSync(parent, { recursive: true });
});

async function folderOfRun(): Promise<string> {
  const results = await RunResults.open({
    parent,
    name: 'recorded',
    configText: '',
    clock: systemClock,
    onFailure: (line) => assert.fail(line),
  });
  for (const record of sampleRun()) results.record(record);
  return (await results.finish()).folder;
}

async function report(...argv: string[]): Promise<Program & { code: number | null }> {
  const program = new Program('bench-controller', ['report', ...argv]);
  const { code } = await program.ended;
  return Object.assign(program, { code });
}

test('[CLI-01] report makes lost files again, prints the summary and exits with 0', async () => {
  const folder = await folderOfRun();
  const path = join(folder, 'summary.json');
  const before = await readFile(path, 'utf8');
  await rm(path);
  const { code, stdout, stderr } = await report(folder);
  assert.equal(code, 0, stderr);
  assert.equal(await readFile(path, 'utf8'), before);
  assert.match(stdout, /^COMPLETED recorded\n/);
  assert.ok(stdout.endsWith(`\nResults written to ${folder}\n`));
  assert.equal(stderr, '');
});

test('[CLI-02] [RES-05] report and recover of what cannot be written: the summary is printed all the same, exit 6', async () => {
  const folder = await folderOfRun();
  // Nothing can take the place of a file.
  await rm(join(folder, 'summary.json'));
  mkdirSync(join(folder, 'summary.json'));
  for (const command of ['report', 'recover']) {
    const { code, stdout, stderr } = await controller(command, folder);
    assert.equal(code, 6, stderr);
    assert.match(stderr, /^ERROR: Cannot write results to disk \(.*\)$/m);
    assert.match(stdout, /^=== RESULTS \(DISK WRITE FAILED\) ===\nCOMPLETED recorded\n/);
    assert.match(stdout, /^ {2}read +\d/m);
    assert.doesNotMatch(stdout, /Results written/);
  }
});

test('[CLI-03] recover by somebody who may not read the run’s secret is one sentence', async () => {
  const folder = await folderOfRun();
  // The like of it for root, who may read everything.
  mkdirSync(join(folder, 'run.secret'));
  const { code, stderr } = await controller('recover', folder);
  assert.equal(code, 2, stderr);
  assert.match(
    stderr,
    /^ERROR: Cannot read .*run\.secret: .+\nOnly who started the run can read it: recover as that user\.\n$/,
  );
});

test('[RES-03] report says that a journal was torn', async () => {
  const folder = await folderOfRun();
  await appendFile(join(folder, 'journal.ndjson'), '{"type":"noti');
  const { code, stderr } = await report(folder);
  assert.equal(code, 0);
  assert.equal(stderr, 'WARNING: the last line of the journal is torn and left out\n');
});

test('[RES-03] of a run that goes on report says so, and changes no file; not of one whose process number is taken by another', async () => {
  const folder = await folderOfRun();
  await keepSecret(folder, 'run', 'secret');
  await rm(join(folder, 'summary.json'));
  const journal = join(folder, 'journal.ndjson');
  let stop: Cancel = () => undefined;
  // As a run does that goes on.
  const beat = (): void => {
    appendFileSync(journal, `${encodeRecord({ type: 'heartbeat', lateMs: 0, atMs: 1 })}\n`);
    stop = systemClock.after(200, beat);
  };
  beat();
  const early = await report(folder).finally(() => {
    stop();
  });
  assert.equal(early.code, 2);
  const sentence = `The run in ${folder} goes on: process ${process.pid} on ${hostname()} drives`;
  assert.ok(early.stderr.startsWith(`ERROR: ${sentence}`), early.stderr);
  assert.equal(existsSync(join(folder, 'summary.json')), false);
  const late = await report(folder);
  assert.equal(late.code, 0, late.stderr);
});

test('[CLI-03] report of what is no results folder is one sentence and exit code 2', async () => {
  const { code, stdout, stderr } = await report(join(parent, 'nothing-here'));
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /Cannot read .*nothing-here/);
  assert.doesNotMatch(stderr, /^\s+at /m);
});
