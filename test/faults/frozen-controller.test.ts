import { test } from 'node:test';
import { goesOnAtItsRate, needsWaitTime } from '../support/frozen-rate.js';

const skip = needsWaitTime;

test(
  '[RPC-03] a load on nothing at all goes on at its rate while the controller is frozen',
  { skip },
  (t) => goesOnAtItsRate(t, 'null', 8_000),
);

test(
  '[RPC-03] a load of cached reads goes on at its rate while the controller is frozen',
  { skip },
  (t) => goesOnAtItsRate(t, 'cached reads', 8_000),
);
