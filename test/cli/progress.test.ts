import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertOneSentence, controller, Desk } from '../support/cli-run.js';
import { Program } from '../support/program.js';
import { takenPort } from '../support/taken-port.js';

const stages = [
  { name: 'one', mix: 'read', threads: 1, duration: '2s' },
  { name: 'two', mix: { read: 1, write: 1 }, threads: 2, max_operations: 1000 },
];

function run(desk: Desk, ...argv: string[]) {
  const config = desk.config({ target: 'null:', stages });
  return controller('run', config, '--results', desk.results, '--embedded', '2', ...argv);
}

test('[CLI-01] [RUN-25] --progress json: every line of stdout is an object, a second apart at most, the last is the summary', async (t) => {
  const desk = new Desk(t);
  const { code, stdout, stderr } = await run(desk, '--progress', 'json');
  assert.equal(code, 0, stderr);
  assert.ok(stdout.endsWith('\n'));
  const objects = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  assert.ok(objects.every(({ type }) => typeof type === 'string'));
  const progress = objects.filter(({ type }) => type === 'progress');
  const phases = new Set(progress.map(({ phase }) => phase));
  assert.ok(phases.has('running'), [...phases].join(' '));
  const times = progress.map((object) => Number(object['elapsed_ms']));
  const gaps = times.map((ms, index) => ms - (times[index - 1] ?? ms));
  assert.ok(Math.max(...gaps) < 10_000, gaps.join(' '));
  assert.ok(
    progress.length >= Math.floor((times.at(-1) ?? 0) / 5000),
    'a sign of life all the time',
  );
  const last = objects.at(-1);
  assert.equal(last?.['type'], 'summary');
  const results = desk.newest();
  assert.equal(last['folder'], results.path);
  assert.deepEqual(last['summary'], results.summary);
  assert.match(stderr, /^COMPLETED desk\n/m, 'the summary for people is on stderr');
});

test('[CLI-01] --progress lines: one line per phase on stderr, the summary on stdout is summary.txt', async (t) => {
  const desk = new Desk(t);
  const { code, stdout, stderr } = await run(desk, '--progress', 'lines', '-v');
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^Connecting to agent 127\.0\.0\.1:\d+$/m);
  assert.match(stderr, /^running one \(1\/2\)/m);
  const results = desk.newest();
  assert.equal(stdout, `${results.text('summary.txt')}\nResults written to ${results.path}\n`);
  assert.doesNotMatch(stdout + stderr, /\u001b/, 'no colours and no cursor movements');
});

test('[CLI-01] --progress bars without a terminal does not break: the summary is there', async (t) => {
  const desk = new Desk(t);
  const { code, stdout } = await run(desk, '--progress', 'bars', '--no-color');
  assert.equal(code, 0);
  assert.match(stdout, /COMPLETED desk\n/);
});

test('[MEAS-02] the same seed gives the same operations on every agent; --set chooses another', async (t) => {
  const desk = new Desk(t);
  const mixed = [{ name: 'm', mix: { read: 3, write: 2 }, threads: 2, max_operations: 3000 }];
  const config = desk.config({ target: 'null:', stages: mixed, seed: 11 });
  const counts = async (runs: number, ...argv: string[]): Promise<unknown> => {
    const { code } = await desk.run(config, '--embedded', '2', ...argv);
    assert.equal(code, 0);
    const { stages: done, run } = desk.newest(runs).summary;
    const agents = Object.values(done[0]?.agents ?? {});
    return [
      run.seed,
      ...agents.map(({ operations }) => [operations['read']?.count, operations['write']?.count]),
    ];
  };
  const first = await counts(1);
  assert.deepEqual(await counts(2), first);
  const other = await counts(3, '--set', 'seed=12');
  assert.notDeepEqual(other, first);
});

test('[CLI-01] [LINK-16] --ui shows the run to a browser while it goes on, and report.html is left after it', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({ target: 'null:', stages });
  const argv = ['run', config, '--results', desk.results, '--embedded', '2', '--ui', ':0'];
  const program = new Program('bench-controller', [...argv, '--progress', 'lines']);
  t.after(() => program.stop());
  const [, url = ''] = await program.waitFor(/The run is shown at (http:\/\/127\.0\.0\.1:\d+\/)/);
  assert.notEqual(new URL(url).port, '7762', 'the port that was asked for');
  const page = await (await fetch(url)).text();
  assert.match(page, />RUNNING<\/span>/);
  assert.equal((await program.ended).code, 0, program.output);
  const report = desk.newest().text('report.html');
  assert.match(report, />COMPLETED<\/span>/);
  await assert.rejects(fetch(url), 'the page ends with the run');
});

test('[LINK-16] --ui without an address is port 7762 of this machine', async (t) => {
  await takenPort(t, 7762, '127.0.0.1');
  const desk = new Desk(t);
  const config = desk.config({ target: 'null:', agents: ['127.0.0.1:1'], stages });
  const shown = await desk.run(config, '--ui');
  assertOneSentence(shown, 3, /^ERROR: Cannot show the run on 127\.0\.0\.1:7762: .*EADDRINUSE/);
});
