import assert from 'node:assert/strict';
import fs from 'node:fs';
import { describe, it } from 'node:test';
import type { Operation } from '../../../../src/agent/engines/engine.js';
import { blankOperation } from '../../../../src/agent/runner/allowance.js';
import { alignedBuffer } from '../../../../src/agent/runner/content/aligned-buffer.js';
import type { OperationKind } from '../../../../src/shared/model/operation.js';
import { atNextTurn } from '../../../support/lane-load.js';
import { blockSizeBytes, engineNamed, plain, within } from '../../../support/engine-bench.js';
import type { Bench } from '../../../support/engine-bench.js';

const file = engineNamed('file');

describe('engine file with an iodepth', () => {
  /** Starts one operation of an engine with an iodepth. @returns the bytes it moved */
  const started = ({ engine }: Bench, fields: Partial<Operation>, buffer: Uint8Array) =>
    new Promise<number>((resolve, reject) => {
      assert.equal(engine.kind, 'concurrent');
      const operation = { ...blankOperation(), bytes: blockSizeBytes, ...fields };
      engine.start(operation, buffer, (error, moved) => {
        if (error === null) resolve(moved);
        else reject(error);
      });
    });

  const both = { kinds: new Set<OperationKind>(['read', 'write']) };

  it('[ENG-01] with an iodepth reads and writes at the right place of the right file', async () => {
    const test = async (bench: Bench): Promise<void> => {
      const buffer = alignedBuffer(blockSizeBytes);
      await started(bench, { kind: 'write', file: 2, offset: 8192 }, buffer);
      const written = fs.readFileSync('data/d0/f2');
      assert.ok(written.subarray(8192, 12_288).every((byte) => byte === 0xcd));
      assert.ok(written.subarray(0, 8192).every((byte) => byte === 3));
      await started(bench, { kind: 'read', file: 2, offset: 8192 }, buffer);
      assert.ok(buffer.every((byte) => byte === 0xcd));
      fs.truncateSync('data/d0/f2', 9000);
      const moved = await started(bench, { kind: 'read', file: 2, offset: 8192 }, buffer);
      assert.equal(moved, 9000 - 8192, 'the end of a short file');
    };
    await within(file, { ...plain, iodepth: 8 }, test, both);
  });

  it('[ENG-03] with an iodepth tells of what failed, be it the write or the sync after it', async (t) => {
    const options = { ...plain, iodepth: 8, fsync: 'every' } as const;
    const buffer = alignedBuffer(blockSizeBytes);
    const reading = { kinds: new Set<OperationKind>(['read']) };
    await within(
      file,
      options,
      (bench) => assert.rejects(started(bench, { kind: 'write' }, buffer), { code: 'EBADF' }),
      reading,
    );
    const failing = (_: number, done: (error: Error | null) => void): void => {
      atNextTurn(done, Object.assign(new Error('EIO'), { code: 'EIO', errno: -5 }));
    };
    for (const call of ['fsync', 'fdatasync'] as const) {
      const sync = t.mock.method(fs, call, failing as never);
      const test = (bench: Bench): Promise<void> =>
        assert.rejects(started(bench, { kind: 'write' }, buffer), { code: 'EIO' });
      await within(file, { ...options, fdatasync: call === 'fdatasync' }, test, both);
      assert.equal(sync.mock.callCount(), 1, call);
      sync.mock.restore();
    }
  });

  it('[ENG-03] with an iodepth forces out at the end, too', async (t) => {
    const sync = t.mock.method(fs, 'fsyncSync', () => undefined);
    const options = { ...plain, iodepth: 8, fsync: 'end' } as const;
    await within(file, options, ({ engine }) => engine.finish(), both);
    assert.equal(sync.mock.callCount(), 4, 'each of the four files once');
  });

  it('[ENG-03] keeps all files open when it has several operations in flight, or says that it cannot', async () => {
    const few = { kinds: new Set<OperationKind>(['read']), openFiles: 3 };
    await assert.rejects(
      within(file, { ...plain, iodepth: 2 }, () => undefined, few),
      { name: 'UnfitDataset', message: /needs all 4 files open.*leaves room for 3: raise it/u },
    );
  });
});
