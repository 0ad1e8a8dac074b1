import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Command } from 'commander';
import { initCommand } from '../../../../src/controller/commands/init.js';
import { schemaCommand } from '../../../../src/controller/commands/schema.js';
import { validateCommand } from '../../../../src/controller/commands/validate.js';
import { MusterError } from '../../../../src/shared/kernel/errors.js';
import { configKeys, valueKeys } from '../../../../src/shared/model/config/walk.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { planOf } from '../../../support/example-plan.js';
import type { CommandIo } from '../../../../src/controller/commands/command-io.js';

interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `bench-controller …argv` with these commands alone. */
async function run(...argv: string[]): Promise<Printed> {
  const printed = { stdout: '', stderr: '' };
  const io: CommandIo = {
    stdout: { write: (text) => (printed.stdout += text) },
    stderr: { write: (text) => (printed.stderr += text) },
    env: { HOST: 'node9' },
    argv,
    clock: new ManualClock(),
    onSignal: () => () => undefined,
    onStop: () => () => undefined,
    exitCode: 0,
  };
  const program = new Command('bench-controller')
    .exitOverride()
    .configureOutput({ writeErr: (text) => (printed.stderr += text) });
  for (const make of [validateCommand, initCommand, schemaCommand]) {
    program.addCommand(make(io).copyInheritedSettings(program));
  }
  await program.parseAsync(argv, { from: 'user' });
  assert.equal(io.exitCode, 0);
  return printed;
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-config-'));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('`init` writes an example that `validate` accepts, and never overwrites', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'my.yaml');
    assert.match((await run('init', file)).stdout, /^Wrote .*my\.yaml\. Edit it, then: /);
    const written = await readFile(file, 'utf8');
    assert.equal((await run('validate', file)).stderr, '');
    await writeFile(file, `${written}# mine\n`);
    await assert.rejects(run('init', file), (error) => {
      assert(error instanceof MusterError);
      assert.match(error.message, /my\.yaml is there already$/);
      assert.equal(error.hint, 'Name another file: bench-controller init other.yaml');
      assert.equal(error.exitCode, 2);
      return true;
    });
    assert.equal(await readFile(file, 'utf8'), `${written}# mine\n`);
    await assert.rejects(run('init', join(folder, 'no', 'x.yaml')), /Cannot write .*no such file/);
  });
});

test('`validate` prints the resolved plan as a config that gives the same plan, and what each agent gets', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'c.yaml');
    await writeFile(
      file,
      'target: /mnt/x\nnamespace: shared\nseed: 1\ndataset: { files: 5, file_size: 1GiB }\n' +
        'stages: [{ name: a, mix: read, max_operations: 10, max_bytes: 1GiB }]\n',
    );
    const { stdout, stderr } = await run(
      ...[
        'validate',
        file,
        '--agents',
        'n[1-2,5],m',
        '--set',
        'stages.0.threads=2',
        '--set',
        'seed=9',
      ],
    );
    const again = planOf(stdout).plan;
    assert.deepEqual(
      again.agents.map(({ address }) => address),
      ['n1:7761', 'n2:7761', 'n5:7761', 'm:7761'],
    );
    assert.equal(again.seed, 9);
    assert.match(stdout, /^# agent-1 \(n1:7761\) on \/mnt\/x, makes files 0–1 \(2GiB\)$/m);
    assert.match(stdout, /^# agent-4 \(m:7761\) on \/mnt\/x, makes file 4 \(1GiB\)$/m);
    assert.match(stdout, /^# {3}a: 2 threads, 3 operations, 256MiB$/m);
    assert.match(stdout, /^# {3}a: 2 threads, 2 operations, 256MiB$/m);
    assert.equal(stderr, '');
  });
});

test('`validate` does not say that an engine without storage makes files', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'c.yaml');
    await writeFile(file, `target: 'null:'\nstages: [{ name: a, mix: read, duration: 1s }]\n`);
    const { stdout } = await run('validate', file);
    assert.match(stdout, /^# agent-1 \(embedded:1\) on null:, no files to make$/m);
  });
});

test('`validate` prints warnings to stderr, and errors as MusterError with exit code 2', async () => {
  await inFolder(async (folder) => {
    const file = join(folder, 'c.yaml');
    await writeFile(
      file,
      `target: /mnt/x\nagents: ["\${HOST}", b]\nstages: [{ name: a, mix: put, duration: 1s }]\n`,
    );
    assert.match(
      (await run('validate', file)).stderr,
      /^WARNING: .*c\.yaml:1:1: failure_policy: with two/,
    );
    await assert.rejects(run('validate', file, '--set', 'sed=1'), (error) => {
      assert(error instanceof MusterError);
      assert.match(error.message, /^--set sed=1: sed: unknown key; did you mean "seed"\?$/);
      assert.equal(error.exitCode, 2);
      return true;
    });
    await assert.rejects(run('validate', join(folder, 'none.yaml')), /there is no such file/);
    await assert.rejects(run('validate', file, '--embedded', 'two'), /It must be a number/);
    await assert.rejects(
      run('validate', file, '--embedded', '1', '--agents', 'a'),
      /cannot be used/,
    );
    await assert.rejects(run('validate'), /missing required argument/);
  });
});

test('[CONF-04] `schema` prints a JSON Schema with every key, none more, and what each means', async () => {
  const schema: unknown = JSON.parse((await run('schema')).stdout);
  const described = new Map<string, string | undefined>();
  const walk = (node: unknown, prefix: string): void => {
    if (typeof node !== 'object' || node === null) return;
    const { properties, items, anyOf } = node as Record<string, unknown>;
    if (typeof properties === 'object' && properties !== null) {
      assert.equal((node as { additionalProperties?: unknown }).additionalProperties, false);
      for (const [key, value] of Object.entries(properties)) {
        const { description } = value as { description?: string };
        described.set(`${prefix}${key}`, description);
        if (!valueKeys.has(key)) walk(value, `${prefix}${key}.`);
      }
    }
    walk(items, prefix.replace(/\.$/, '[].'));
    if (Array.isArray(anyOf)) for (const form of anyOf) walk(form, prefix);
  };
  walk(schema, '');
  assert.deepEqual(
    [...described.keys()].sort(),
    configKeys()
      .map(({ name }) => name)
      .sort(),
  );
  for (const { name, meta } of configKeys()) {
    if (meta.description !== undefined) {
      assert(described.get(name)?.startsWith(meta.description), name);
    }
  }
});

test('[CONF-04] `schema --markdown` prints docs/config.md', async () => {
  const docs = join(import.meta.dirname, '../../../../../docs/config.md');
  assert.equal((await run('schema', '--markdown')).stdout, await readFile(docs, 'utf8'));
});
