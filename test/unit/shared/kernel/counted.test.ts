import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, nounFor } from '../../../../src/shared/kernel/counted.js';

test('one is singular, none and several are plural', () => {
  assert.deepEqual(
    [0, 1, 2].map((count) => counted(count, 'agent')),
    ['0 agents', '1 agent', '2 agents'],
  );
  assert.equal(counted(1, 'entry', 'entries'), '1 entry');
  assert.equal(counted(2, 'entry', 'entries'), '2 entries');
  assert.equal(nounFor(1, 'error'), 'error');
  assert.equal(nounFor(1_000_000, 'error'), 'errors');
});
