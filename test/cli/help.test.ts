import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { exitCodes } from '../../src/shared/model/outcome.js';
import { controller, Desk, printed } from '../support/cli-run.js';
import { Program } from '../support/program.js';

const runFlags = [
  '--agents',
  '--embedded',
  '--set',
  '--results',
  '--progress',
  '--dry-run',
  '--skip-prepare',
  '--no-cleanup',
  '--allow-partial',
  '--steal',
  '--no-color',
  '--verbose',
];
const commands: Readonly<Record<string, readonly string[]>> = {
  run: runFlags,
  prepare: ['--agents', '--embedded', '--set', '--results', '--progress', '--steal', '--verbose'],
  cleanup: ['--agents', '--embedded', '--set', '--results', '--progress', '--steal', '--verbose'],
  validate: ['--agents', '--embedded', '--set'],
  check: ['--agents', '--embedded', '--set', '--verbose'],
  agents: ['--json'],
  report: ['--no-color'],
  compare: ['--limit', '--json'],
  recover: ['--no-color', '--token-file', '--verbose'],
  init: [],
  schema: ['--markdown'],
};

test('[CLI-01] --help names every command, every exit code and the first steps', async () => {
  const { code, stdout, stderr } = await controller('--help');
  assert.deepEqual([code, stderr], [0, '']);
  for (const name of Object.keys(commands)) assert.match(stdout, new RegExp(`^ {2}${name} `, 'm'));
  for (const number of Object.values(exitCodes)) {
    assert.match(stdout, new RegExp(`^ +${String(number)} {2}\\w`, 'm'), String(number));
  }
  assert.match(stdout, /First steps:/);
});

test('[CLI-01] every command has its flags in its --help', async () => {
  for (const [name, flags] of Object.entries(commands)) {
    const { code, stdout } = await controller(name, '--help');
    assert.equal(code, 0, name);
    assert.match(stdout, new RegExp(`^Usage: bench-controller ${name} `));
    for (const flag of flags) assert.ok(stdout.includes(flag), `${name} ${flag}`);
  }
});

test('[CLI-03] no command, an unknown command and an unknown flag end with 2 and say what to do', async () => {
  const bare = await controller();
  assert.equal(bare.code, 2);
  assert.match(bare.stderr, /^Usage: bench-controller/);
  const typo = await controller('rum', 'x.yaml');
  assert.equal(typo.code, 2);
  assert.equal(typo.stderr, "error: unknown command 'rum'\n(Did you mean run?)\n");
  const flag = await controller('run', 'x.yaml', '--embeded', '2');
  assert.equal(flag.code, 2);
  assert.equal(flag.stderr, "error: unknown option '--embeded'\n(Did you mean --embedded?)\n");
});

test('[CLI-03] a place for results that is empty, and a config that --ui would take for an address, are refused', async () => {
  const unset = await controller('run', 'x.yaml', '--results', '');
  assert.deepEqual([unset.code, unset.stdout], [2, '']);
  const empty = "error: option '--results <dir>' argument '' is invalid. It is empty.\n";
  assert.equal(unset.stderr, empty);
  const taken = await controller('run', '--ui', 'x.yaml');
  assert.equal(taken.code, 2);
  assert.match(taken.stderr, /It is an address such as :7762; name the config before --ui\.\n$/);
});

test('[CLI-03] agents takes lists with commas, like --agents; one that names nobody is refused', async () => {
  const { code, stdout } = await controller('agents', '127.0.0.1:1,127.0.0.1:2', '127.0.0.1:[3-4]');
  assert.equal(code, 3);
  const asked = [...stdout.matchAll(/^Agent (127\.0\.0\.1:\d) unreachable/gm)].map(
    ([, one]) => one,
  );
  assert.deepEqual(
    asked,
    [1, 2, 3, 4].map((port) => `127.0.0.1:${String(port)}`),
  );
  for (const nobody of ['', ',']) {
    const shown = await controller('agents', nobody);
    assert.equal(shown.code, 2, shown.stdout);
    assert.match(shown.stderr, /is not an agent address/);
  }
});

test('[CLI-01] --dry-run prints the plan and what each agent would do, and touches nothing', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({
    agents: ['node[1-3]:7761'],
    dataset: { name: 'ds', files: 10, file_size: '1MiB' },
    namespace: 'shared',
    stages: [{ name: 'load', mix: 'write', threads: 2, max_operations: 100 }],
  });
  const { code, stdout, stderr } = await desk.run(config, '--dry-run');
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /^# agent-1 \(node1:7761\) on .*, makes files 0–3 \(4MiB\)$/m);
  assert.match(stdout, /^# agent-3 \(node3:7761\) on .*, makes files 7–9 \(3MiB\)$/m);
  const shares = [...stdout.matchAll(/^# {3}load: 2 threads, (\d+) operations$/gm)].map((match) =>
    Number(match[1]),
  );
  assert.deepEqual(shares, [34, 33, 33], 'the limit is divided, not copied');
  assert.ok(!existsSync(desk.results), 'no results folder');
});

test('[CLI-01] --dry-run says who makes the files, and what part of the rate an agent has', async (t) => {
  const desk = new Desk(t);
  const dataset = { name: 'ds', files: 4, file_size: '1MiB' };
  const stage = { name: 'load', mix: 'write', duration: '1s' };
  const rated = { ...stage, mix: 'read', rate: ['900/s', '3000/s'] };
  const stages = [stage, { ...rated, name: 'rated' }, { ...rated, name: 'deep', iodepth: 8 }];
  const given = { agents: ['a', 'b', 'c'], dataset, stages };
  const skipped = await desk.run(desk.config(given), '--dry-run', '--skip-prepare');
  assert.match(skipped.stdout, /^# agent-1 \(a:7761\) on .*, expects files 0–3 \(4MiB\)$/m);
  assert.match(skipped.stdout, /^# {3}rated: \d+ threads?, 300\/s, then 1000\/s$/m);
  assert.match(skipped.stdout, /^# {3}deep: 1 thread, iodepth 8, 300\/s, then 1000\/s$/m);
  const unprepared = { ...given, dataset: { ...dataset, prepare: 'none' } };
  const { stdout } = await desk.run(desk.config(unprepared), '--dry-run');
  assert.match(stdout, /^# agent-1 \(a:7761\) on .*, its stages make files 0–3 \(4MiB\)$/m);
});

test('[CLI-02] a reader that goes away is no reason for a stack: schema | head', async () => {
  // The pipe's other end is closed before anything is written.
  const program = new Program('bench-controller', ['schema']);
  program.child.stdout?.destroy();
  const { code, stderr } = await printed(program);
  assert.deepEqual([code, stderr], [0, '']);
});

test('[CLI-02] a bug ends either program with 70 and its stack', async (t) => {
  const planted = `import crypto from 'node:crypto';
    import { syncBuiltinESMExports } from 'node:module';
    crypto.randomBytes = () => { throw new TypeError('planted'); };
    syncBuiltinESMExports();`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(planted)}` };
  const stages = [{ name: 'load', mix: 'read', duration: '1s' }];
  const config = new Desk(t).config({ agents: ['127.0.0.1:9'], target: 'null:', stages });
  for (const [script, argv] of [
    ['bench-agent', ['--listen', '127.0.0.1:0']],
    ['bench-controller', ['run', config]],
  ] as const) {
    const { code, stderr } = await printed(new Program(script, [...argv], env));
    assert.equal(code, exitCodes.internal, stderr);
    assert.match(
      stderr,
      /^INTERNAL ERROR \(a bug in Muster, please report it\): TypeError: planted\n +at /m,
    );
  }
});
