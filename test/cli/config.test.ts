import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { Program } from '../support/program.js';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'muster-cli-config-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

interface Printed {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function controller(...argv: string[]): Promise<Printed> {
  const program = new Program('bench-controller', argv);
  const { code } = await program.ended;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

async function configFile(name: string, text: string): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, text);
  return file;
}

const good = `
target: /mnt/bench
dataset: { files: 4, file_size: 1MiB }
stages:
  - { name: a, mix: read, block_size: 4KiB, duration: 1s }
`;

test('[CLI-01] init, then validate: the example is good, and what is printed is a config', async () => {
  const file = join(folder, 'example.yaml');
  const written = await controller('init', file);
  assert.equal(written.code, 0);
  const validated = await controller('validate', file);
  assert.deepEqual([validated.code, validated.stderr], [0, '']);
  assert.equal((parse(validated.stdout) as { name?: string }).name, 'example');
  const again = await controller('init', file);
  assert.equal(again.code, 2);
  assert.match(again.stderr, /^ERROR: .*example\.yaml is there already\n/);
});

test('[CONF-01] [CONF-02] validate names every error with its place, prints no plan, exits with 2', async () => {
  const file = await configFile('bad.yaml', good.replace('duration', 'treads: 3, duraton'));
  const { code, stdout, stderr } = await controller('validate', file, '--set', 'sed=1');
  assert.equal(code, 2);
  assert.equal(stdout, '');
  const lines = stderr.trimEnd().split('\n');
  assert.match(lines[0] ?? '', /^ERROR: .*bad\.yaml has 3 problems:$/);
  assert.match(
    lines[1] ?? '',
    /bad\.yaml:5:45: stages\[0\]\.treads: unknown key; did you mean "threads"\?$/,
  );
  assert.match(
    lines[2] ?? '',
    /bad\.yaml:5:56: stages\[0\]\.duraton: unknown key; did you mean "duration"\?$/,
  );
  assert.match(lines[3] ?? '', /^--set sed=1: sed: unknown key; did you mean "seed"\?$/);
  assert.doesNotMatch(stderr, /\bat .*\.js:\d+/, 'no stack');
});

test('[CONF-01] [RUN-23] run and prepare refuse a bad config before anything is started or written', async () => {
  const file = await configFile('zero.yaml', good.replace('duration: 1s', 'max_operations: 0'));
  const results = join(folder, 'must-not-exist');
  for (const command of ['run', 'prepare', 'cleanup']) {
    const { code, stdout, stderr } = await controller(command, file, '--results', results);
    assert.equal(code, 2, command);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /zero\.yaml:5:61: stages\[0\]\.max_operations: 0 is too little; at least 1/,
    );
  }
  await assert.rejects(readFile(results), { code: 'ENOENT' });
});

test('[RUN-16] too high a concurrency is refused with the limit', async () => {
  const file = await configFile('good.yaml', good);
  const { code, stderr } = await controller('validate', file, '--set', 'stages.0.threads=2000');
  assert.equal(code, 2);
  assert.match(stderr, /Concurrency too high \(limit: 1024\)/);
});

test('[CLI-02] a missing file, a missing argument and an unknown flag get one sentence and exit code 2', async () => {
  const rows: [string[], RegExp][] = [
    [
      ['validate', join(folder, 'none.yaml')],
      /^ERROR: Cannot read .*none\.yaml: there is no such file\n/,
    ],
    [['validate'], /^error: missing required argument 'config'\n/],
    [['validate', 'x.yaml', '--sett', 'a=1'], /^error: unknown option '--sett'\n/],
    [['schema', '--yaml'], /^error: unknown option '--yaml'\n/],
  ];
  for (const [argv, expected] of rows) {
    const { code, stdout, stderr } = await controller(...argv);
    assert.equal(code, 2, argv.join(' '));
    assert.equal(stdout, '');
    assert.match(stderr, expected);
  }
});

test('[CONF-04] schema prints JSON that an editor can use', async () => {
  const { code, stdout } = await controller('schema');
  assert.equal(code, 0);
  const schema = JSON.parse(stdout) as Record<string, unknown>;
  assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema');
  assert.deepEqual(schema['required'], ['stages']);
});
