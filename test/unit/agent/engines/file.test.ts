import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { EngineContext } from '../../../../src/agent/engines/engine.js';
import { codeOf } from '../../../../src/shared/kernel/errors.js';
import type { OperationKind } from '../../../../src/shared/model/operation.js';
import { engineNamed, fileSizeBytes, plain, within } from '../../../support/engine-bench.js';
import type { Bench } from '../../../support/engine-bench.js';

const file = engineNamed('file');

describe('engine file, in particular', () => {
  it('[ENG-01] says which files are open where there is nothing but reads and writes of them', async () => {
    const found = async (
      kinds: readonly OperationKind[],
      openFiles = 4,
      options: Partial<typeof plain> = {},
    ): Promise<unknown> => {
      let all: unknown;
      const test = ({ engine }: Bench): void => {
        assert.equal(engine.kind, 'blocking');
        all = engine.blocks && [
          [...engine.blocks.kinds],
          engine.blocks.descriptors.map((descriptor) => fs.fstatSync(descriptor).size),
        ];
      };
      const change = { kinds: new Set(kinds), openFiles };
      await within(file, { ...plain, ...options }, test, change);
      return all;
    };
    const sizes = Array.from({ length: 4 }, () => fileSizeBytes);
    for (const kinds of [['read'], ['write'], ['read', 'write']] as const) {
      assert.deepEqual(await found(kinds), [kinds, sizes]);
      assert.equal(await found(kinds, 3), undefined);
      assert.equal(await found([...kinds, 'stat']), undefined);
    }
    assert.equal(await found(['get']), undefined);
    assert.deepEqual(await found(['write'], 4, { fsync: 'end' }), [['write'], sizes]);
    assert.equal(await found(['write'], 4, { fsync: 'every' }), undefined);
    assert.equal(await found(['write'], 4, { fsync: 7 }), undefined);
  });

  it('[ENG-03] moves fewer bytes at the end of a short file, without an exception', async () => {
    await within(file, plain, ({ perform }) => {
      fs.truncateSync('data/d1/f1', 6000);
      assert.equal(perform('read', { file: 1, offset: 4096 }), 6000 - 4096);
      assert.equal(perform('read', { file: 1, offset: 8192 }), 0);
      assert.equal(perform('get', { file: 1 }), 6000);
    });
  });

  it('[ENG-03] throws what the system says, with its code', async () => {
    await within(file, plain, ({ perform }) => {
      const code = (act: () => unknown): string | undefined => {
        try {
          act();
          return 'nothing';
        } catch (error) {
          return codeOf(error);
        }
      };
      assert.equal(
        code(() => perform('delete', { entry: 5 })),
        'ENOENT',
      );
      assert.equal(
        code(() => perform('rmdir', { entry: 5 })),
        'ENOENT',
      );
      perform('put');
      assert.equal(
        code(() => perform('put')),
        'EEXIST',
      );
      perform('mkdir');
      assert.equal(
        code(() => perform('mkdir')),
        'EEXIST',
      );
      fs.unlinkSync('data/d0/f0');
      assert.equal(
        code(() => perform('get')),
        'ENOENT',
      );
      assert.equal(
        code(() => perform('stat')),
        'ENOENT',
      );
    });
  });

  it('[SAFE-02] never writes through a symbolic link', async () => {
    await within(file, plain, ({ perform, folder }) => {
      const outside = path.join(folder, 'outside');
      fs.writeFileSync(outside, 'precious');
      fs.symlinkSync(outside, 'churn/0/0/p7');
      assert.throws(() => perform('put', { entry: 7 }), { code: 'EEXIST' });
      fs.unlinkSync('data/d0/f0');
      fs.symlinkSync(outside, 'data/d0/f0');
      assert.throws(() => perform('get'), { code: 'ELOOP' });
      assert.equal(fs.readFileSync(outside, 'utf8'), 'precious');
    });
  });

  it('writes where it should: put whole files, write single blocks', async () => {
    await within(file, plain, ({ perform }) => {
      perform('write', { file: 2, offset: 8192 });
      const written = fs.readFileSync('data/d0/f2');
      assert.ok(written.subarray(8192, 12_288).every((byte) => byte === 0xcd));
      assert.ok(written.subarray(0, 8192).every((byte) => byte === 3));
      perform('put', { entry: 3 });
      assert.equal(fs.statSync('churn/0/0/p3').size, fileSizeBytes);
    });
  });

  it('holds no more files open than it may, and still reads the right one', async () => {
    await within(
      file,
      plain,
      ({ perform }) => {
        const before = fs.readdirSync('/proc/self/fd').length;
        for (let i = 0; i < 12; i++) {
          fs.writeFileSync(`data/d${String(i % 2)}/f${String(i % 4)}`, 'x');
          assert.equal(perform('read', { file: i % 4 }), 1);
          fs.writeFileSync(`data/d${String(i % 2)}/f${String(i % 4)}`, Buffer.alloc(fileSizeBytes));
        }
        assert.equal(fs.readdirSync('/proc/self/fd').length, before);
      },
      { openFiles: 2 },
    );
  });

  it('closes everything it opened', async () => {
    const before = fs.readdirSync('/proc/self/fd').length;
    await within(file, plain, ({ perform }) => {
      perform('read');
      perform('get');
      perform('put');
      fs.unlinkSync('data/d0/f2');
      assert.throws(() => perform('get', { file: 2 }), { code: 'ENOENT' });
    });
    assert.equal(fs.readdirSync('/proc/self/fd').length, before);
  });

  it('[ENG-03] does not read files with holes: that would be measuring memory', async () => {
    const holed = (kind: OperationKind) =>
      within(
        file,
        plain,
        () => undefined,
        () => {
          fs.truncateSync('data/d1/f3', 8192);
          fs.truncateSync('data/d1/f3', 1024 ** 2);
          return { kinds: new Set([kind]) };
        },
      );
    await assert.rejects(holed('read'), {
      name: 'UnfitDataset',
      message: /f3 has holes: 8192 of its 1048576 bytes are on the storage.*write the whole file/u,
    });
    await holed('write');
  });

  it('[ENG-03] where holes are not certain it warns of them once; where reads are compared they are no matter', async (t) => {
    const punch = (): Partial<EngineContext> => {
      for (const name of ['data/d0/f2', 'data/d1/f3']) {
        fs.truncateSync(name, 8192);
        fs.truncateSync(name, 1024 ** 2);
      }
      return { kinds: new Set<OperationKind>(['read']) };
    };
    const warnings = async (change: Partial<EngineContext>): Promise<readonly string[]> => {
      let seen: readonly string[] = [];
      const test = (bench: Bench): void => void (seen = bench.warnings);
      await within(file, plain, test, () => ({ ...punch(), ...change }));
      return seen;
    };
    assert.deepEqual(await warnings({ verifies: true }), []);
    t.mock.method(fs, 'statfsSync', () => ({ type: 0x9123683e }));
    const seen = await warnings({});
    assert.equal(seen.length, 1);
    assert.match(seen[0] ?? '', /f2 has holes: .*if this file system counts them/u);
  });
});
