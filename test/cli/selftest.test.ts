import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { processGone } from '../support/agent-process.js';
import { controller, Desk, printed } from '../support/cli-run.js';
import { eventually } from '../support/eventually.js';
import { onTerminal, Program } from '../support/program.js';

const preload = new URL('../support/rehearsal/planted-faults.js', import.meta.url).href;

test('selftest --list names the scenarios; an unknown one gets a suggestion', async () => {
  const listed = await controller('selftest', '--list');
  assert.equal(listed.code, 0);
  for (const name of ['kill', 'freeze', 'partition', 'skew', 'disk-full', 'ctrl-c']) {
    assert.match(listed.stdout, new RegExp(`^${name} +\\S`, 'm'));
  }
  const unknown = await controller('selftest', '--only', 'kill,freze');
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /^ERROR: There is no scenario "freze"; did you mean "freeze"\?$/m);
});

test('selftest rehearses faults and prints the verdicts: exit 0', async (t) => {
  const argv = ['selftest', '--only', 'kill,stall,ctrl-c', '--jobs', '3', '--no-color'];
  const TMPDIR = new Desk(t).folder('tmp');
  const shown = await printed(new Program('bench-controller', argv, { ...onTerminal, TMPDIR }));
  assert.equal(shown.code, 0, shown.stdout + shown.stderr);
  assert.match(shown.stdout, /^ {2}kill +\d+\.\d s +PASS {2}exit code 4/m);
  assert.match(shown.stdout, /^ {2}stall +\d+\.\d s +PASS {2}exit code 0/m);
  assert.match(shown.stdout, /^ {2}ctrl-c +\d+\.\d s +PASS {2}exit code 130/m);
  assert.match(shown.stdout, /^3 of 3 passed$/m);
  assert.doesNotMatch(shown.stdout, /\x1b/, '--no-color');
  assert.deepEqual(selftestsIn(TMPDIR), [], 'without --keep');
});

test('a bug in the programs turns a verdict of selftest red: exit 1', async (t) => {
  const program = new Program('bench-controller', ['selftest', '--only', 'kill', '--keep'], {
    ...onTerminal,
    NODE_OPTIONS: `${onTerminal['NODE_OPTIONS'] ?? ''} --import=${preload}`,
    MUSTER_TEST_MODULES: '1',
    MUSTER_TEST_PLANTED: 'kill',
  });
  t.after(() => program.stop());
  const { code } = await program.ended;
  assert.equal(code, 1, program.output);
  assert.match(program.stdout, /WRONG +exit code 0/);
  assert.match(program.stdout, /^\x1b\[31m0 of 1 passed\x1b\[39m$/m, 'in colour on a terminal');
  const [, folder = ''] = /^Everything is kept in (.*)$/m.exec(program.stdout) ?? [];
  assert.ok(existsSync(join(folder, 'kill', 'agent-2.log')));
  rmSync(folder, { recursive: true });
});

test('Ctrl-C ends selftest and everything that it started: exit 130', async (t) => {
  const names = 'lost-controller,freeze';
  const argv = ['selftest', '--only', names, '--jobs', '2', '--keep'];
  const TMPDIR = new Desk(t).folder('tmp');
  const program = new Program('bench-controller', argv, { TMPDIR });
  t.after(() => program.stop());
  const started = await eventually('agents and a controller of both', 60_000, () => {
    const pids = childrenOf(program.pid);
    return pids.length === 8 ? pids : undefined;
  });
  const below = (): readonly string[] =>
    readdirSync(TMPDIR, { recursive: true, encoding: 'utf8' }).map(String);
  await eventually('load of both', 60_000, () => {
    const loads = below().filter((name) => /(?:^|\/)muster-runner-[^/]*$/.test(name));
    return loads.length >= 4 || undefined;
  });
  program.kill('SIGINT');
  assert.deepEqual(await program.ended, { code: 130, signal: null });
  assert.match(program.stderr, /^Received Ctrl-C - ending the rehearsal$/m);
  for (const pid of started) await processGone(pid);
  const [kept = ''] = selftestsIn(TMPDIR);
  assert.deepEqual(readdirSync(TMPDIR), [kept], 'what its agents made lies below');
  assert.ok(below().some((name) => name.endsWith('/journal.ndjson')));
  assert.ok(!below().some((name) => name.endsWith('/summary.json')), 'nothing goes on');
  assert.ok(
    kept !== '' && program.stdout.endsWith(`Everything is kept in ${join(TMPDIR, kept)}\n`),
  );
});

test('[CLI-02] a rehearsal that cannot be set up is no bug: one sentence, exit 3', async (t) => {
  const desk = new Desk(t);
  const played = (env: NodeJS.ProcessEnv) =>
    printed(new Program('bench-controller', ['selftest', '--only', 'kill'], env));
  const unplaced = await played({ TMPDIR: join(desk.path, 'missing') });
  assert.equal(unplaced.code, 3, unplaced.stderr);
  assert.match(
    unplaced.stderr,
    /^ERROR: Cannot set up the rehearsal: no such file or directory \(ENOENT\)\nIt is played below .*missing; TMPDIR names another folder\.$/m,
  );
  const TMPDIR = desk.folder('tmp');
  const refused = await played({ TMPDIR, BENCH_TOKEN: 'short' });
  assert.equal(refused.code, 3, refused.stderr);
  assert.match(refused.stderr, /^ERROR: Cannot set up the rehearsal: agent-\d did not start: /m);
  assert.match(refused.stderr, /^ERROR: BENCH_TOKEN: the token has 5 characters/m);
  assert.deepEqual(selftestsIn(TMPDIR), []);
});

function selftestsIn(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.startsWith('muster-selftest-'));
}

function childrenOf(pid: number): readonly number[] {
  const list = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return list.split(' ').filter(Boolean).map(Number);
}
