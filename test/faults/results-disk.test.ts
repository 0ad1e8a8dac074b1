import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { rebuild } from '../../src/controller/shell/rebuild.js';
import { RunResults } from '../../src/controller/shell/run-results.js';
import { MusterError } from '../../src/shared/kernel/errors.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { eventually } from '../support/eventually.js';
import { Program } from '../support/program.js';
import { sampleRun } from '../support/recorded-run.js';
import { fill, smallDisk } from '../support/small-disk.js';

function open(parent: string, failures: string[] = []): Promise<RunResults> {
  return RunResults.open({
    parent,
    name: 'full',
    configText: 'name: full\n',
    clock: systemClock,
    onFailure: (line) => failures.push(line),
  });
}

test('[RUN-18] a disk that gets full during the run: said at once, the run goes on, exit 6 at the end', async (t) => {
  const disk = await smallDisk(t, 'size=20m');
  if (disk === undefined) return;
  const failures: string[] = [];
  const results = await open(disk, failures);
  const records = sampleRun({ agents: 3, seconds: 30 });
  const half = Math.floor(records.length / 2);
  for (const record of records.slice(0, half)) results.record(record);
  await results.flush();
  assert.deepEqual(failures, []);
  const filler = fill(disk);
  for (const record of records.slice(half)) results.record(record);
  await results.flush();
  assert.deepEqual(failures, ['ERROR: Cannot write results to disk (disk full)']);
  const finished = await results.finish();
  assert.equal(finished.failure, 'ERROR: Cannot write results to disk (disk full)');
  assert.equal(finished.exitCode, 6);
  assert.equal(failures.length, 1);
  // The numbers are whole although nothing could be written.
  assert.equal(finished.summary.stages[0]?.operations['read']?.count, 2850);
  // What was journaled before is still good, and no half-written file pretends to be a result.
  truncateSync(filler, 0);
  assert.ok(!(await readdir(results.folder)).some((name) => name.endsWith('.tmp')));
  const { summary, damage } = await rebuild(results.folder, systemClock);
  assert.ok((summary.stages[0]?.operations['read']?.count ?? 0) > 0);
  assert.deepEqual(damage, [], 'the end took the place of the line that was torn');
  assert.equal(summary.outcome, 'partial');
  assert.equal(summary.exit_code, 6);
  assert.equal(
    summary.reason,
    'the journal ends before the run did (disk full); the run itself: completed',
  );
});

test('[RES-04] a disk with no space to speak of is refused before any load', async (t) => {
  const disk = await smallDisk(t, 'size=1m');
  if (disk === undefined) return;
  await assert.rejects(open(disk), (thrown) => {
    assert.ok(thrown instanceof MusterError);
    assert.match(thrown.message, /only \d+ KiB free, at least 16 MiB needed/);
    assert.equal(thrown.exitCode, 6);
    return true;
  });
  assert.deepEqual(await readdir(disk), [], 'and nothing is left there');
});

test('[RUN-18] a read-only file system is refused before any load', async (t) => {
  const disk = await smallDisk(t, 'size=20m,ro');
  if (disk === undefined) return;
  await assert.rejects(open(join(disk, 'results')), (thrown) => {
    assert.ok(thrown instanceof MusterError);
    assert.match(thrown.message, /\(read-only file system\)/);
    assert.equal(thrown.exitCode, 6);
    return true;
  });
});

test('[RUN-18] a results folder that is removed during the run ends in exit 6, not in silence', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'muster-gone-'));
  t.after(() => {
    rmSync(parent, { recursive: true, force: true });
  });
  const failures: string[] = [];
  const results = await open(parent, failures);
  for (const record of sampleRun()) results.record(record);
  await rm(results.folder, { recursive: true });
  const finished = await results.finish();
  assert.equal(finished.exitCode, 6);
  assert.equal(finished.failure, 'ERROR: Cannot write results to disk (folder is gone)');
  assert.deepEqual(failures, [finished.failure]);
});

test('[RUN-18] the journal is on disk within seconds, without anybody asking', async (t) => {
  const parent = mkdtempSync(join(tmpdir(), 'muster-live-'));
  t.after(() => {
    rmSync(parent, { recursive: true, force: true });
  });
  const results = await open(parent);
  const records = sampleRun({ end: false });
  for (const record of records) results.record(record);
  const path = join(results.folder, 'journal.ndjson');
  const journal = await eventually('the journal is written', 60_000, async () => {
    const lines = (await readFile(path, 'utf8')).split('\n').length - 1;
    return lines < records.length ? undefined : lines;
  });
  assert.equal(journal, records.length);
  const manifest = await eventually('run.json is written', 60_000, async () => {
    const file = join(results.folder, 'run.json');
    if (!existsSync(file)) return undefined;
    return JSON.parse(await readFile(file, 'utf8')) as { outcome: string };
  });
  assert.equal(manifest.outcome, 'running');
  await results.finish();
});

test('[RUN-18] a real run whose disk gets full prints its results and exits with 6', async (t) => {
  const disk = await smallDisk(t, 'size=20m');
  if (disk === undefined) return;
  const program = new Program('bench-controller', [
    'run',
    fileURLToPath(new URL('../../../docs/examples/null-engine.yaml', import.meta.url)),
    ...['--embedded', '1', '--results', disk, '--progress', 'lines'],
    ...['--set', 'stages.0.duration=3s', '--set', 'stages.1.duration=1s'],
  ]);
  t.after(() => program.stop());
  await program.waitFor(/running one-thread/);
  fill(disk);
  const { code } = await program.ended;
  assert.equal(code, 6, program.output);
  assert.match(program.stderr, /^ERROR: Cannot write results to disk \(disk full\)$/m);
  assert.match(program.stdout, /^=== RESULTS \(DISK WRITE FAILED\) ===\nCOMPLETED harness\n/);
  assert.match(program.stdout, /^ {2}read .*\d/m);
  assert.match(program.stdout, /exit code 6/);
  assert.ok(!program.output.includes('Results written to'));
});

test('[LINK-14] a process that is killed leaves no file system mounted', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-mounted-'));
  t.after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const module = new URL('../../src/controller/shell/rehearsal/small-disk.js', import.meta.url);
  const script = `const { mountSmallDisk } = await import('${module.href}');
    const disk = await mountSmallDisk('${folder}', 'size=1m');
    console.log('why' in disk ? 'not permitted: ' + disk.why : 'mounted');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'pipe' });
  const [data] = (await once(child.stdout, 'data')) as [Buffer];
  const isMounted = (): boolean => readFileSync('/proc/self/mounts', 'utf8').includes(folder);
  const permitted = data.toString().startsWith('mounted');
  assert.equal(isMounted(), permitted);
  child.kill('SIGKILL');
  if (!permitted) {
    t.skip(data.toString());
    return;
  }
  await eventually('unmounted', 30_000, () => (isMounted() ? undefined : true));
});
