import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stillOwed } from '../../../../src/controller/core/still-owed.js';

test('[RUN-10] whose last words are missing is named, with how to get them', () => {
  const said =
    'What agent-1 reported last may still be on its host, for an hour: bench-controller recover results/r';
  assert.equal(stillOwed(['agent-1'], 'results/r'), said);
  const two = /^What agent-1, agent-3 reported last may still be on their hosts, for an hour: /u;
  assert.match(stillOwed(['agent-1', 'agent-3'], 'results/r') ?? '', two);
  assert.equal(stillOwed([], 'results/r'), undefined);
});
