import assert from 'node:assert/strict';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Desk } from '../support/cli-run.js';

const dataset = { name: 'ds', files: 4, file_size: '256KiB', verify: true, keep: true };
const limited = { threads: 2, block_size: '16KiB' };
const readAll = { ...limited, name: 'check', mix: 'read', access: 'shuffled', max_operations: 64 };

/** The summary breaks its lines. */
const unwrapped = (text: string): string => text.replace(/\s+/g, ' ');

function flipByte(path: string, at: number): void {
  const descriptor = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(descriptor, byte, 0, 1, at);
  writeSync(descriptor, Buffer.of((byte[0] ?? 0) ^ 0xff), 0, 1, at);
  closeSync(descriptor);
}

test('[MEAS-02] verify: what was prepared and overwritten yesterday is checked today; one wrong byte on the disk is found, named, and fails the run', async (t) => {
  const desk = new Desk(t);
  const overwrite = {
    ...limited,
    name: 'overwrite',
    mix: 'write',
    access: { zipf: 1 },
    max_operations: 100,
  };
  const mixed = {
    ...limited,
    name: 'mixed',
    mix: { read: 1, write: 1 },
    access: 'random',
    max_operations: 300,
  };
  const yesterday = desk.config(
    { dataset, seed: 7, stages: [overwrite, mixed, readAll] },
    'yesterday.json',
  );
  const first = await desk.run(yesterday, '--no-cleanup');
  assert.equal(first.code, 0, first.stdout + first.stderr);

  const today = desk.config({ dataset, seed: 7, stages: [readAll] }, 'today.json');
  const good = await desk.run(today, '--skip-prepare');
  assert.equal(good.code, 0, good.stdout + good.stderr);
  assert.equal(desk.newest(2).summary.stages[0]?.operations.read?.errors, 0);

  const path = join(desk.target, 'ds/0/data/f2');
  flipByte(path, 100_000);
  const bad = await desk.run(today, '--skip-prepare');
  assert.equal(bad.code, 1, bad.stdout + bad.stderr);
  const { summary } = desk.newest(3);
  const read = summary.stages[0]?.operations.read;
  assert.equal(read?.count, 63);
  assert.deepEqual(read.error_codes, { verify: 1 });
  const line =
    /verify: stage "check": data\/f2, offset 98304: expected (?:generation \d+ of )?its block, found damage: 1 wrong byte, the first at \+1696: 0x[0-9a-f]{2} instead of 0x[0-9a-f]{2}/;
  assert.match(summary.warnings.join('\n'), line);
  assert.match(unwrapped(bad.stdout), line);
  assert.match(bad.stdout, /check\.errors == 0/);
});

test('verify: a write of yesterday that the storage has lost is found today, although the older block is whole', async (t) => {
  const desk = new Desk(t);
  const write = { ...limited, name: 'write', mix: 'write', access: 'sequential' };
  const writing = desk.config({ dataset, seed: 7, stages: [{ ...write, max_operations: 64 }] });
  const reading = desk.config({ dataset, seed: 7, stages: [readAll] }, 'reading.json');
  const path = join(desk.target, 'ds/0/data/f2');
  const blockAt = (offset: number): Buffer => readFileSync(path).subarray(offset, offset + 4096);
  assert.equal((await desk.run(writing, '--no-cleanup')).code, 0);
  const before = Buffer.from(blockAt(98_304));
  assert.equal((await desk.run(writing, '--no-cleanup')).code, 0);
  const good = await desk.run(reading, '--skip-prepare', '--no-cleanup');
  assert.equal(good.code, 0, good.stdout + good.stderr);

  assert.notDeepEqual(blockAt(98_304), before);
  const descriptor = openSync(path, 'r+');
  writeSync(descriptor, before, 0, before.length, 98_304);
  closeSync(descriptor);
  const bad = await desk.run(reading, '--skip-prepare');
  assert.equal(bad.code, 1, bad.stdout + bad.stderr);
  const { summary } = desk.newest(4);
  assert.deepEqual(summary.stages[0]?.operations.read?.error_codes, { verify: 1 });
  assert.match(
    summary.warnings.join('\n'),
    /verify: stage "check": data\/f2, offset 98304: expected generation \d+ of its block, found generation \d+ of another run \(stale: a later write was lost\)/,
  );
  const cleaned = await desk.command('cleanup', reading);
  assert.equal(cleaned.code, 0, cleaned.stdout + cleaned.stderr);
  assert.deepEqual(readdirSync(desk.target), []);
});

test('verify: a file that was cut and filled with zeros again is found block by block', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({ dataset, seed: 7, stages: [readAll] });
  assert.equal((await desk.run(config, '--no-cleanup')).code, 0);
  const path = join(desk.target, 'ds/0/data/f1');
  truncateSync(path, 64 * 1024);
  truncateSync(path, 256 * 1024);
  const bad = await desk.run(config, '--skip-prepare');
  assert.equal(bad.code, 1, bad.stdout + bad.stderr);
  const { summary } = desk.newest(2);
  assert.deepEqual(summary.stages[0]?.operations.read?.error_codes, { verify: 12 });
  assert.match(unwrapped(bad.stdout), /found only zeros \(never written, or the write was lost\)/);
});

test('verify: get checks whole files of any size, and a stage may leave the checking out', async (t) => {
  const desk = new Desk(t);
  const uneven = { ...dataset, files: 20, file_size: { uniform: ['1B', '60KiB'] } };
  const get = { ...limited, name: 'get', mix: 'get', access: 'shuffled', max_operations: 20 };
  const config = desk.config({ dataset: uneven, seed: 7, stages: [get] });
  const good = await desk.run(config, '--no-cleanup');
  assert.equal(good.code, 0, good.stdout + good.stderr);
  const path = join(desk.target, 'ds/0/data/f7');
  flipByte(path, readFileSync(path).length - 1);
  const bad = await desk.run(config, '--skip-prepare');
  assert.equal(bad.code, 1, bad.stdout + bad.stderr);
  assert.deepEqual(desk.newest(2).summary.stages[0]?.operations.get?.error_codes, { verify: 1 });
  const unchecked = await desk.run(config, '--skip-prepare', '--set', 'stages.0.verify=false');
  assert.equal(unchecked.code, 0, unchecked.stdout + unchecked.stderr);
  // Without the check there is no threshold either: the exit code alone does not tell.
  assert.equal(desk.newest(3).summary.stages[0]?.operations.get?.errors, 0);
});

test('verify: agents that share a dataset check what the others have written', async (t) => {
  const desk = new Desk(t);
  const stages = [
    { ...limited, name: 'overwrite', mix: 'write', access: 'sequential', max_operations: 64 },
    readAll,
  ];
  const config = desk.config({ dataset, namespace: 'shared', seed: 7, stages });
  const ran = await desk.run(config, '--embedded', '2', '--no-cleanup');
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  flipByte(join(desk.target, 'ds/data/f0'), 5000);
  const only = desk.config(
    { dataset, namespace: 'shared', seed: 7, stages: [readAll] },
    'only.json',
  );
  const bad = await desk.run(only, '--embedded', '2', '--skip-prepare');
  assert.equal(bad.code, 1, bad.stdout + bad.stderr);
  assert.match(unwrapped(bad.stdout), /data\/f0, offset 4096: expected its block, found damage/);
});
