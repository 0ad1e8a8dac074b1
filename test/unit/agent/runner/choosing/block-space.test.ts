import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { blankOperation } from '../../../../../src/agent/runner/allowance.js';
import { EvenBlocks } from '../../../../../src/agent/runner/choosing/block-space.js';

describe('blocks of files of one size', () => {
  it('[MEAS-02] every block is found in its file, also beside the boundaries and with a million times a million blocks', () => {
    const blocksPerFile = fc.oneof(
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.maxSafeInteger().map((large) => 1 + (Math.abs(large) % 2 ** 40)),
    );
    fc.assert(
      fc.property(
        blocksPerFile,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(),
        (perFile, part, some) => {
          const files = Math.max(1, Math.floor(2 ** 49 / perFile));
          const space = new EvenBlocks({ from: 5, to: 5 + files }, perFile, 4096);
          const file = Math.min(files - 1, Math.floor(part * files));
          for (const inFile of [0, perFile - 1, some % perFile]) {
            const operation = blankOperation();
            space.locate(file * perFile + inFile, operation);
            assert.equal(operation.file, 5 + file);
            assert.equal(operation.offset, inFile * 4096);
          }
        },
      ),
      { numRuns: 5000 },
    );
  });
});
