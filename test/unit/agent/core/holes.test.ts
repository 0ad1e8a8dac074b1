import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holesOf } from '../../../../src/agent/core/holes.js';

const ext4 = 0xef53;
const btrfs = 0x9123683e;

test('[ENG-03] a file of fewer blocks than bytes has holes, where its file system counts them so', () => {
  const file = { size: 65_536, blocks: 8 };
  assert.deepEqual(
    holesOf('data/f1', file, () => ext4),
    {
      words:
        'data/f1 has holes: 4096 of its 65536 bytes are on the storage. Reading holes measures nothing: write the whole file first, or prepare the dataset anew',
      isCertain: true,
    },
  );
  assert.deepEqual(
    holesOf('data/f1', file, () => btrfs),
    {
      words:
        'data/f1 has holes: 4096 of its 65536 bytes are on the storage, if this file system counts them: reading holes measures nothing',
      isCertain: false,
    },
  );
  assert.ok(
    holesOf('f', { size: 4096, blocks: 0 }, () => ext4),
    'a block is no longer in the inode',
  );
});

test('[ENG-03] a whole file has none, nor one that may lie in its inode; their file system is not asked', () => {
  const ask = (): never => assert.fail('asked');
  assert.equal(holesOf('f', { size: 65_536, blocks: 128 }, ask), undefined);
  assert.equal(holesOf('f', { size: 65_535, blocks: 128 }, ask), undefined);
  assert.equal(holesOf('f', { size: 4095, blocks: 0 }, ask), undefined);
});
