import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fioMechanism } from '../../../../../src/agent/runner/fio/mechanism.js';

const plain = {
  fio: { ioengine: 'libaio' },
  iodepth: 1,
  direct: false,
  sync: 'none',
  fsync: 'never',
  fdatasync: false,
} as const;

const rows = [
  [plain, 'libaio'],
  [{ ...plain, fio: {} }, 'psync'],
  [{ ...plain, direct: true, iodepth: 32 }, 'libaio iodepth 32 O_DIRECT'],
  [{ ...plain, sync: 'o_dsync', fsync: 8 }, 'libaio O_DSYNC fsync 8 (not timed)'],
  [
    { ...plain, fio: { ioengine: 'io_uring' }, fsync: 'every', fdatasync: true },
    'io_uring fdatasync every',
  ],
  // Not what was asked for but what is done.
  [{ ...plain, fio: { ioengine: 'pvsync2' }, iodepth: 32, direct: true }, 'pvsync2 O_DIRECT'],
  [{ ...plain, fio: { ioengine: 'mmap' }, direct: true }, 'mmap'],
  [{ ...plain, fio: {}, fsync: 'end', fdatasync: true }, 'psync fsync end (not timed)'],
] as const;

for (const [stage, words] of rows) {
  test(`[ENG-02] what does the I/O of a fio stage is said in our own words: ${words}`, () => {
    assert.equal(fioMechanism('fio-3.33', stage), `fio-3.33 ${words}`);
  });
}
