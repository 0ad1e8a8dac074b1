import { test } from 'node:test';
import { chosenSeeds, playMany } from '../support/sim/play.js';

const { firstSeed, count } = chosenSeeds(700000, 2500);

test('[RUN-19] [RUN-28] [LINK-05] [RPC-06] whatever goes wrong, every run ends in time and says what is true', () => {
  playMany({ firstSeed, count, faults: 4 });
});
