import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenSeeds, playMany } from '../support/sim/play.js';

test('[RUN-15] where nothing goes wrong every run completes, whatever the links and clocks', () => {
  const { firstSeed, count } = chosenSeeds(1, 300);
  const ends = playMany({ firstSeed, count, faults: 0 });
  assert.deepEqual([...ends.keys()], ['0']);
});
