import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { assertOneSentence, controller, Desk, printed } from '../support/cli-run.js';
import { Program } from '../support/program.js';
import { fill } from '../support/small-disk.js';

// 0 … 3 and 6 here; 4, 5 and 130 need agents that are lost: test/faults.

const null100 = [{ name: 'n', mix: 'read', max_operations: 100 }];
const expect = ['n.read.count == 100', 'n.read.service.p99 < 1ns'];

test('[CLI-02] 0: completed; the verdict comes first and the results folder last', async (t) => {
  const desk = new Desk(t);
  const { code, stdout } = await desk.run(desk.config({ target: 'null:', stages: null100 }));
  assert.equal(code, 0);
  assert.match(stdout, /^COMPLETED desk\n/);
  assert.ok(stdout.endsWith(`\nResults written to ${desk.newest().path}\n`), stdout);
});

test('[CLI-02] 1: completed, but an expectation failed: said with the measured value, results are whole', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({ target: 'null:', stages: null100, expect });
  const { code, stdout } = await desk.run(config);
  assert.equal(code, 1);
  assert.match(stdout, /^COMPLETED desk\n.*\n {2}1 of 2 thresholds FAILED\n/);
  assert.match(stdout, /^ {2}ok {6}n\.read\.count == 100 {2}\(measured 100\)$/m);
  assert.match(stdout, /^ {2}FAILED {2}n\.read\.service\.p99 < 1ns {2}\(measured .*\)$/m);
  const { summary } = desk.newest();
  assert.deepEqual([summary.outcome, summary.exit_code], ['completed', 1]);
});

test('[CLI-02] 3: agents that cannot be reached are all named, nothing is started', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({ stages: null100 });
  const shown = await desk.run(config, '--agents', '127.0.0.1:1,127.0.0.1:2');
  assertOneSentence(shown, 3, /Agent 127\.0\.0\.1:1 unreachable after 5s: connection refused\n/);
  assert.match(shown.stderr, /Agent 127\.0\.0\.1:2 unreachable after 5s: connection refused\n/);
  assert.equal(desk.newest().summary.outcome, 'failed');
  const agents = ['--agents', '127.0.0.1:1,127.0.0.1:2'];
  const advised = await desk.run(config, ...agents, '--progress', 'lines', '--allow-partial');
  assert.equal(advised.code, 3, '--allow-partial is for runs that lost agents on the way');
  const advice = advised.stderr.match(/^Is bench-agent running there, on that port\?$/gm);
  assert.equal(advice?.length, 1, 'advice on both, said once');
  const asked = await controller('agents', '127.0.0.1:1');
  assert.equal(asked.code, 3);
  assert.match(
    asked.stdout,
    /^Agent 127\.0\.0\.1:1 unreachable after 5s: connection refused \(Is bench-agent .*\?\)\n$/,
  );
  const checked = await controller('check', config, '--agents', '127.0.0.1:1');
  assert.equal(checked.code, 3);
  assert.match(checked.stdout, /^0\/1 agents are fit to run$/m);
});

test('[RUN-18] [RES-05] 6: no place for results: said before any agent is asked for anything', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({ stages: null100 });
  const file = desk.file('a-file', '');
  const rows: (readonly [string, RegExp])[] = [
    [file, /^ERROR: Cannot write results to .*a-file \(not a folder\)\nChoose a writable folder/],
    [join(file, 'x'), /^ERROR: Cannot write results to .*a-file\/x \(not a folder\)\n/],
    ['/proc/results', /^ERROR: Cannot write results to \/proc\/results \(.+\)\n/],
  ];
  const readOnly = await desk.disk('read-only', 'ro');
  if (readOnly === undefined) return;
  rows.push([join(readOnly, 'x'), /\(read-only file system\)\nChoose a writable folder with/]);
  const small = await desk.disk('small', 'size=4m');
  assert.ok(small);
  rows.push([small, /only 4096 KiB free, at least 16 MiB needed\nFree some space, or use/]);
  const few = await desk.disk('few', 'size=20m,nr_inodes=5');
  assert.ok(few);
  rows.push([few, /only \d inodes free, at least 16 needed\nFree some space, or use/]);
  for (const [folder, sentence] of rows) {
    const shown = await controller('run', config, '--results', folder);
    assertOneSentence(shown, 6, sentence);
    assert.doesNotMatch(shown.stderr, /Connecting/);
  }
});

test('[RUN-18] 6: a disk that gets full during the run: said at once, the run ends as planned, summary on stdout', async (t) => {
  const desk = new Desk(t);
  const disk = await desk.disk('disk', 'size=20m');
  if (disk === undefined) return;
  const stages = [{ name: 'n', mix: 'read', threads: 2, duration: '3s' }];
  const config = desk.config({ target: 'null:', stages });
  const argv = ['run', config, '--results', disk, '--progress', 'json'];
  const program = new Program('bench-controller', argv);
  await program.waitFor(/"phase":"running"/);
  fill(disk);
  const shown = await printed(program);
  assertOneSentence(shown, 6, /^ERROR: Cannot write results to disk \(disk full\)$/m);
  assert.match(shown.stderr, /^=== RESULTS \(DISK WRITE FAILED\) ===\nCOMPLETED desk\n/m);
  assert.doesNotMatch(shown.stderr + shown.stdout, /Results written/);
  const last = JSON.parse(shown.stdout.trimEnd().split('\n').at(-1) ?? '') as Last;
  assert.deepEqual([last.type, last.folder, last.summary.outcome], ['summary', null, 'completed']);
});

interface Last {
  readonly type: string;
  readonly folder: string | null;
  readonly summary: { readonly outcome: string };
}

test('[RUN-18] 6: a results folder that is taken away during the run', async (t) => {
  const desk = new Desk(t);
  const stages = [{ name: 'n', mix: 'read', duration: '2s' }];
  const config = desk.config({ target: 'null:', stages });
  const argv = ['run', config, '--results', desk.results, '--progress', 'lines'];
  const program = new Program('bench-controller', argv);
  await program.waitFor(/^running n/m);
  rmSync(desk.results, { recursive: true });
  const shown = await printed(program);
  assertOneSentence(shown, 6, /^ERROR: Cannot write results to disk \(folder is gone\)$/m);
  assert.match(shown.stdout, /^=== RESULTS \(DISK WRITE FAILED\) ===\nCOMPLETED desk\n/);
  assert.match(shown.stdout, /^ {2}read +\d/m, 'the numbers are printed');
  mkdirSync(desk.results, { recursive: true });
});

test('[CLI-02] [RES-05] 6: standard output that takes nothing is said, loses no results and ends no run', async (t) => {
  const desk = new Desk(t);
  const stages = [{ name: 'n', mix: 'read', duration: '1s' }];
  const config = desk.config({ target: 'null:', stages });
  const full = openSync('/dev/full', 'w');
  t.after(() => {
    closeSync(full);
  });
  const said = /^ERROR: Cannot write to standard output \(disk full\)$/m;
  for (const progress of ['none', 'json']) {
    const argv = ['run', config, '--results', desk.results, '--progress', progress];
    const shown = await printed(new Program('bench-controller', argv, {}, full));
    assertOneSentence(shown, 6, said);
    assert.equal(desk.newest().summary.outcome, 'completed');
    rmSync(desk.results, { recursive: true });
  }
  const schema = await printed(new Program('bench-controller', ['schema'], {}, full));
  assertOneSentence(schema, 6, said);
});
