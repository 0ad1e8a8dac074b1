import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TargetFacts } from '../../src/agent/runner/target-facts.js';
import { assertOneSentence, Desk, smallDataset } from '../support/cli-run.js';
import { filesBelow } from '../support/temporary-folder.js';

/** As coreutils see it. */
const mountPoint = (path: string): string =>
  execFileSync('stat', ['-c', '%m', path]).toString().trim();

const read = [{ name: 'r', mix: 'read', block_size: '4KiB', max_operations: 20 }];

test('[SAFE-01] [CLI-01] [RES-04] prepare, run --skip-prepare, cleanup: the dataset is made once, kept, and gone at the end', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({ stages: read, seed: 5 });
  const early = await desk.run(config, '--skip-prepare');
  assertOneSentence(
    early,
    3,
    /dataset "ds" is not in .*: run without --skip-prepare, or prepare first\n/,
  );
  assert.deepEqual(readdirSync(desk.target), [], 'nothing was made');

  const prepared = await desk.command('prepare', config);
  assert.equal(prepared.code, 0, prepared.stderr);
  assert.equal(desk.newest(2).summary.run.mode, 'prepare');
  const { files, bytes, files_kept: found } = desk.newest(2).summary.prepare ?? {};
  assert.deepEqual([files, bytes, found], [4, 4 * 262_144, 0]);
  assert.match(prepared.stdout, /^ {2}prepared 4 files, 1\.00 MiB in \d+\.\d{3} s \(/m);
  const [agent] = desk.newest(2).manifest['agents'] as { target: TargetFacts }[];
  assert.equal(agent?.target.realPath, realpathSync(desk.target));
  assert.equal(agent.target.mount?.point, mountPoint(desk.target));
  assert.ok(agent.target.mount.options.length > 0 && agent.target.mount.type !== '');
  const kept = filesBelow(desk.target);
  assert.equal(kept.filter((file) => file.includes('/data/')).length, 4);
  const content = readFileSync(join(desk.target, 'ds/0/data/f0'));

  const ran = await desk.run(config, '--skip-prepare');
  assert.equal(ran.code, 0, ran.stderr);
  assert.match(ran.stdout, /^ {2}prepared nothing: 4 files were there already$/m);
  assert.deepEqual(filesBelow(desk.target), kept, 'what somebody prepared is not removed by a run');
  assert.ok(readFileSync(join(desk.target, 'ds/0/data/f0')).equals(content), 'not made again');

  const cleaned = await desk.command('cleanup', config);
  assert.equal(cleaned.code, 0, cleaned.stderr);
  assert.deepEqual(readdirSync(desk.target), []);
  const { summary, path } = desk.newest(4);
  assert.deepEqual(summary.warnings, []);
  assert.match(readFileSync(join(path, 'controller.log'), 'utf8'), /info +Removed 4 files$/m);

  // As with another target or name than the run's.
  const again = await desk.command('cleanup', config);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stdout, /^ +- No file of dataset "ds" was found on any agent$/m);
});

test('[SAFE-01] another dataset in the same place is refused with both hashes, by run and by cleanup', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({ stages: read });
  assert.equal((await desk.run(config, '--no-cleanup')).code, 0);
  const kept = filesBelow(desk.target);
  const other = ['--set', 'dataset.files=5'];
  const hashes =
    /holds another dataset \(hash [0-9a-f]{12}, made by \S+ for 1 agent\) than "ds" of this plan \(hash [0-9a-f]{12}, 1 agent\)/;
  assertOneSentence(await desk.run(config, '--skip-prepare', ...other), 3, hashes);
  assertOneSentence(await desk.run(config, ...other), 3, hashes);
  const cleaned = await desk.command('cleanup', config, ...other);
  assertOneSentence(cleaned, 3, hashes);
  assert.match(cleaned.stdout, /^FAILED desk: 0 of 1 agent completed/);
  assert.deepEqual(filesBelow(desk.target), kept);
});

test('[SAFE-03] what Muster did not make survives the cleanup, and is named', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({ stages: read, dataset: { ...smallDataset, keep: true } });
  assert.equal((await desk.run(config)).code, 0);
  assert.ok(existsSync(join(desk.target, 'ds/0/data/f0')), 'keep: true keeps it');
  const alien = join(desk.target, 'ds/0/data/notes.txt');
  writeFileSync(alien, 'mine');
  const cleaned = await desk.command('cleanup', config);
  assert.equal(cleaned.code, 0, cleaned.stderr);
  assert.match(
    cleaned.stderr,
    /WARNING: agent-1: .*\/ds\/0 was kept: it still holds data\/notes\.txt\n/,
  );
  assert.equal(readFileSync(alien, 'utf8'), 'mine');
  assert.deepEqual(
    filesBelow(desk.target).filter((file) => /f\d$/.test(file)),
    [],
    'the dataset is gone',
  );
});

test('[SAFE-03] a run removes what it made, and only that; a shared dataset is made once by all agents', async (t) => {
  const desk = new Desk(t);
  const neighbour = join(desk.target, 'neighbour');
  writeFileSync(neighbour, 'mine');
  const stages = [...read, { name: 'p', mix: { put: 1, get: 1 }, threads: 2, max_operations: 40 }];
  const config = desk.config({
    namespace: 'shared',
    stages,
    dataset: { ...smallDataset, files: 5 },
  });
  const kept = await desk.run(config, '--embedded', '2', '--no-cleanup');
  assert.equal(kept.code, 0, kept.stderr);
  const data = filesBelow(desk.target).filter((file) => file.startsWith('ds/data/'));
  assert.deepEqual(
    data,
    ['f0', 'f1', 'f2', 'f3', 'f4'].map((name) => `ds/data/${name}`),
  );
  const ran = await desk.run(config, '--embedded', '2');
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(readdirSync(desk.target), ['neighbour']);
  assert.equal(readFileSync(neighbour, 'utf8'), 'mine');
});
