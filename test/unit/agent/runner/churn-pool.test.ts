import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  ChurnPool,
  emptyChurn,
  laneOf,
  numberOf,
  redistribute,
} from '../../../../src/agent/runner/churn-pool.js';

describe('ChurnPool', () => {
  it('is a queue whatever the order of making and taking, beyond its first size', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { maxLength: 12 }), (bursts) => {
        const pool = new ChurnPool(5, emptyChurn);
        const model: number[] = [];
        for (const [i, burst] of bursts.entries()) {
          for (let n = 0; n < burst; n++) {
            if (i % 3 === 2 && !pool.isEmpty) {
              const entry = pool.take();
              assert.equal(laneOf(entry), 5);
              assert.equal(numberOf(entry), model.shift());
            } else {
              const number = pool.create();
              pool.created(number);
              model.push(number);
            }
          }
        }
        assert.equal(pool.isEmpty, model.length === 0);
        assert.deepEqual([...pool.state().entries].map(numberOf), model);
      }),
    );
  });

  it('hands all entries to the lanes of the next stage, none lost, none twice, numbers never reused', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 6 }),
        fc.integer({ min: 1, max: 8 }),
        (made, lanes) => {
          const states = made.map((count, lane) => {
            const pool = new ChurnPool(lane, emptyChurn);
            for (let i = 0; i < count; i++) pool.created(pool.create());
            return pool.state();
          });
          const next = redistribute(states, lanes);
          const before = states.flatMap(({ entries }) => [...entries]).sort((a, b) => a - b);
          const after = next.slice(0, lanes).flatMap(({ entries }) => [...entries]);
          assert.deepEqual(
            after.sort((a, b) => a - b),
            before,
          );
          assert.deepEqual(
            next.slice(0, made.length).map((state) => state.next),
            made,
          );
        },
      ),
    );
  });
});
