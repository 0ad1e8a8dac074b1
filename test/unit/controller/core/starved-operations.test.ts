import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperationKind } from '../../../../src/shared/model/operation.js';
import { starvedOperations } from '../../../../src/controller/core/starved-operations.js';
import type { StageSummary } from '../../../../src/controller/core/summary.js';

type Numbers = StageSummary['operations'][string];

function of(
  counts: Partial<Record<OperationKind, number>>,
  weights: Partial<Record<OperationKind, number>>,
  errors = 0,
): readonly string[] {
  const operations = Object.fromEntries(
    Object.entries(counts).map(([kind, count]) => [kind, { count, errors } as Numbers]),
  );
  const mix = Object.entries(weights).map(([operation, weight]) => {
    return { operation: operation as OperationKind, weight };
  });
  return starvedOperations({ name: 'tidy', operations }, mix);
}

test('[MEAS-06] a mix that had nothing left to remove did others instead, and that is said', () => {
  assert.deepEqual(of({ delete: 500, stat: 5500 }, { delete: 1, stat: 1 }), [
    'stage tidy: delete was 8.3 % of its operations, not 50.0 % (nothing was left to delete)',
  ]);
  assert.deepEqual(of({ put: 1000 }, { put: 3, rename: 1 }), [
    'stage tidy: rename was 0.0 % of its operations, not 25.0 % (nothing was left to rename)',
  ]);
});

test('[MEAS-06] chance is no starvation, nor are failures, other kinds or a stage that did nothing', () => {
  assert.deepEqual(of({ put: 52, delete: 40 }, { put: 1, delete: 1 }), []);
  assert.deepEqual(of({ put: 51_000, delete: 49_000 }, { put: 1, delete: 1 }), []);
  assert.deepEqual(of({ put: 500, delete: 0 }, { put: 1, delete: 1 }, 20_000), []);
  assert.deepEqual(of({ read: 10, write: 9000 }, { read: 1, write: 1 }), []);
  assert.deepEqual(of({}, { put: 1, delete: 1 }), []);
});
