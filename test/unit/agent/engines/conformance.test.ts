import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { engines, parseTarget, unsupported } from '../../../../src/agent/engines/registry.js';
import { blankOperation } from '../../../../src/agent/runner/allowance.js';
import { alignedBuffer } from '../../../../src/agent/runner/content/aligned-buffer.js';
import { operationKinds } from '../../../../src/shared/model/operation.js';
import type { OperationKind } from '../../../../src/shared/model/operation.js';
import { blockSizeBytes, plain, within } from '../../../support/engine-bench.js';
import type { Bench } from '../../../support/engine-bench.js';

for (const definition of engines) {
  describe(`engine ${definition.name}`, () => {
    it('[ENG-01] moves all bytes of every operation it supports, and can do them again', async () => {
      await within(definition, plain, ({ engine, perform }) => {
        const order: readonly OperationKind[] = [
          'read',
          'write',
          'get',
          'stat',
          'list',
          'put',
          'rename',
          'delete',
          'mkdir',
          'rmdir',
        ];
        assert.deepEqual(new Set(order), new Set(operationKinds));
        for (let round = 0; round < 3; round++) {
          for (const kind of order.filter((one) => definition.supports.has(one))) {
            const expected = kind === 'read' || kind === 'write' ? 4096 : 16_384;
            const moves = ['read', 'write', 'get', 'put'].includes(kind);
            assert.equal(perform(kind, { file: round }), moves ? expected : 0, kind);
          }
        }
        engine.finish();
        assert.notEqual(engine.mechanism, '');
      });
    });

    it('[ENG-01] takes the options of a stage and no others', async () => {
      const schema = await definition.options();
      for (const fsync of ['never', 'end', 'every', 16] as const) {
        const options = {
          direct: true,
          noatime: true,
          iodepth: 8,
          sync: 'o_dsync',
          fsync,
          fdatasync: true,
        };
        assert.deepEqual(schema.parse(options), options);
      }
      assert.throws(() => schema.parse({ ...plain, threads: 4 }));
      assert.throws(() => schema.parse({ ...plain, iodepth: 0 }));
      assert.throws(() => schema.parse({ ...plain, fsync: 0 }));
    });

    it('[ENG-01] has several operations in flight on one thread where it says so, and ends each once, later', async () => {
      const kinds = operationKinds.filter((kind) => definition.concurrent.has(kind));
      assert.notEqual(kinds.length, 0);
      const moving = kinds.filter((kind) => kind === 'read' || kind === 'write');
      const test = async ({ engine }: Bench): Promise<void> => {
        assert.equal(engine.kind, 'concurrent');
        let isStarting = true;
        const moved = moving.flatMap((kind) =>
          [0, 1, 2, 3].map((file) => {
            const buffer = alignedBuffer(blockSizeBytes);
            const bytes = blockSizeBytes;
            const operation = { ...blankOperation(), kind, file, offset: 4096, bytes };
            return new Promise<number>((resolve, reject) => {
              engine.start(operation, buffer, (error, count) => {
                assert.equal(isStarting, false);
                if (error === null) resolve(count);
                else reject(error);
              });
            });
          }),
        );
        isStarting = false;
        assert.deepEqual(new Set(await Promise.all(moved)), new Set([4096]));
        engine.finish();
        assert.notEqual(engine.mechanism, '');
      };
      const change = { kinds: new Set(moving) };
      await within(definition, { ...plain, iodepth: 8, fsync: 'every' }, test, change);
    });

    it('[ENG-02] says which operations it does not support', () => {
      const some = { ...definition, supports: new Set<OperationKind>(['read']) };
      assert.deepEqual(unsupported(some, ['read', 'list']), ['list']);
      assert.deepEqual(unsupported(definition, definition.supports), []);
    });
  });
}

describe('targets', () => {
  it('find their engine by scheme, plain paths are files', () => {
    const found = (target: string): string => {
      const parsed = parseTarget(target);
      return typeof parsed === 'string' ? parsed : `${parsed.engine.name} ${parsed.location}`;
    };
    assert.equal(found('/mnt/bench'), 'file /mnt/bench');
    assert.equal(found('file:///mnt/bench'), 'file /mnt/bench');
    assert.equal(found('null:'), 'null ');
    assert.match(found('tape://x'), /^target tape:\/\/x: no engine for "tape:"/u);
    assert.match(found('mnt/bench'), /not an absolute path/u);
  });
});
