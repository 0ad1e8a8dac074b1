import assert from 'node:assert/strict';
import promises, {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { createResultsFolder } from '../../../../src/controller/shell/results-folder.js';
import { replaceFile } from '../../../../src/controller/shell/replace-file.js';
import { MusterError } from '../../../../src/shared/kernel/errors.js';

async function temporary(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'muster-folder-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const request = { name: 'nightly', unixMs: 1_763_700_000_000, configText: 'name: nightly\n' };

test('[RES-04] the folder is named by time, run and suffix, and holds the config', async (t) => {
  const parent = join(await temporary(t), 'made', 'as needed');
  const folder = await createResultsFolder({ ...request, parent });
  assert.match(basename(folder), /^20251121-\d{4}00-nightly-[0-9a-f]{4}$/);
  assert.deepEqual(await readdir(folder), ['config.yaml']);
  assert.equal(await readFile(join(folder, 'config.yaml'), 'utf8'), request.configText);
});

test('[RES-04] a name that is taken is never used again: another suffix is drawn', async (t) => {
  const parent = await temporary(t);
  const draw = ['aaaa', 'aaaa', 'aaaa', 'bbbb'];
  const suffix = (): string => draw.shift() ?? 'cccc';
  const first = await createResultsFolder({ ...request, parent, suffix });
  const second = await createResultsFolder({ ...request, parent, suffix });
  assert.match(first, /-aaaa$/);
  assert.match(second, /-bbbb$/);
  await assert.rejects(
    createResultsFolder({ ...request, parent, suffix: () => 'aaaa' }),
    MusterError,
  );
});

test('[RES-04] twenty runs at once get twenty folders', async (t) => {
  const parent = await temporary(t);
  const made = await Promise.all(
    Array.from({ length: 20 }, () => createResultsFolder({ ...request, parent })),
  );
  assert.equal(new Set(made).size, 20);
});

test('names from a config are made safe for every file system', async (t) => {
  const parent = await temporary(t);
  for (const [name, expected] of [
    ['../../etc/passwd', 'etc-passwd'],
    ['a b:c*d', 'a-b-c-d'],
    ['---', 'run'],
    ['x'.repeat(200), 'x'.repeat(64)],
  ] as const) {
    const folder = await createResultsFolder({ ...request, parent, name });
    assert.equal(basename(folder).slice('20251121-000000-'.length, -5), expected);
  }
});

test('[RES-04] a parent that is no folder is refused before any load, with exit code 6', async (t) => {
  const file = join(await temporary(t), 'file');
  await writeFile(file, '');
  await assert.rejects(
    createResultsFolder({ ...request, parent: join(file, 'results') }),
    (thrown) => {
      assert.ok(thrown instanceof MusterError);
      assert.match(thrown.message, /^Cannot write results to .*results \(not a folder\)$/);
      assert.equal(thrown.exitCode, 6);
      return true;
    },
  );
});

test('a dangling link on the way is refused', async (t) => {
  const link = join(await temporary(t), 'link');
  await symlink(join(link, 'nowhere'), link);
  const parent = join(link, 'results');
  await assert.rejects(createResultsFolder({ ...request, parent }), MusterError);
});

test('a file is replaced whole or not at all', async (t) => {
  const folder = await temporary(t);
  const path = join(folder, 'summary.json');
  await replaceFile(path, 'old');
  function* broken(): Generator<string> {
    yield 'half of the new';
    throw new Error('out of ideas');
  }
  await assert.rejects(replaceFile(path, broken()), /out of ideas/);
  assert.equal(await readFile(path, 'utf8'), 'old');
  assert.deepEqual(await readdir(folder), ['summary.json']);
  await replaceFile(path, ['new ', 'content']);
  assert.equal(await readFile(path, 'utf8'), 'new content');
  await mkdir(join(folder, 'taken'));
  await assert.rejects(replaceFile(join(folder, 'taken'), 'x'));
  assert.deepEqual((await readdir(folder)).sort(), ['summary.json', 'taken']);
});

test('[RES-05] of inodes there have to be some, where a file system counts them', async (t) => {
  const parent = await temporary(t);
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  for (const [files, ffree, isEnough] of [
    [0n, 0n, true],
    [100n, -1n, true],
    [100n, 15n, false],
    [100n, 16n, true],
  ] as const) {
    const found = { bavail: 1n << 40n, bsize: 1n, files, ffree };
    t.mock.method(promises, 'statfs', () => Promise.resolve(found));
    syncBuiltinESMExports();
    const made = createResultsFolder({ ...request, parent });
    if (isEnough) await made;
    else await assert.rejects(made, /: only 15 inodes free, at least 16 needed$/);
  }
});
