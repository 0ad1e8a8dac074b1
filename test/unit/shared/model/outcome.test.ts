import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitCodes, gravest } from '../../../../src/shared/model/outcome.js';

test('[CLI-02] the exit codes are the table of the design, and of several the gravest counts', () => {
  const codes = Object.values(exitCodes).sort((a, b) => a - b);
  assert.deepEqual(codes, [0, 1, 2, 3, 4, 5, 6, 70, 130]);
  const order = [70, 6, 130, 5, 3, 4, 1, 0] as const;
  for (const [place, code] of order.entries()) {
    for (const lesser of order.slice(place)) {
      assert.equal(gravest([lesser, code]), code);
      assert.equal(gravest([code, lesser]), code);
    }
  }
  assert.equal(gravest([]), 0);
});
