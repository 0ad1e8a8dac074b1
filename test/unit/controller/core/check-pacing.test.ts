import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkPacing } from '../../../../src/controller/core/check-pacing.js';
import type { Rate } from '../../../../src/shared/model/pacing.js';
import type { StagePlan } from '../../../../src/shared/model/plan.js';
import { planOf, stagePlan } from '../../../support/recorded-run.js';

const flat = (perSecond: number, unit: Rate['unit'] = 'operations'): Rate => ({
  unit,
  steps: [{ from: perSecond, to: perSecond }],
});

function findings(change: Partial<StagePlan>): string[] {
  const stage = stagePlan(0, change);
  const found = checkPacing(planOf(2, [stage]), stage, ['stages', 0]);
  return [...found].map(
    ({ level, path, message }) => `${level} ${String(path.at(-1))}: ${message}`,
  );
}

test('what goes together is not objected to', () => {
  assert.deepEqual(findings({}), []);
  assert.deepEqual(findings({ rate: flat(100), arrival: 'poisson' }), []);
  assert.deepEqual(findings({ thinkTimeNs: 1e6, stopOn: ['read'] }), []);
  const ramp: Rate = { unit: 'bytes', steps: [{ from: 5e6, to: 9e6 }] };
  assert.deepEqual(findings({ rate: ramp, durationMs: 5000 }), []);
});

for (const [what, change, expected] of [
  [
    'a schedule and a pause',
    { rate: flat(100), thinkTimeNs: 1e6 },
    /^error rate: does not go with think_time/,
  ],
  [
    'a ramp without a duration',
    {
      rate: { unit: 'operations', steps: [{ from: 1, to: 9 }] },
      durationMs: undefined,
      maxOperations: 9,
    },
    /^error rate: changes over the duration of the stage; give it a duration$/,
  ],
  [
    'bytes of operations that move none',
    { rate: flat(1e6, 'bytes'), mix: [{ operation: 'stat', weight: 1 }] },
    /^error rate: is in bytes, but the operations of this stage move none/,
  ],
  [
    'bytes of operations of which some move none',
    {
      rate: flat(1e6, 'bytes'),
      mix: [
        { operation: 'read', weight: 1 },
        { operation: 'stat', weight: 9 },
      ],
    },
    /^error rate: is in bytes, but stat moves none; write it like 1000\/s$/,
  ],
  [
    '[RUN-23] a stage in which nothing is ever due',
    { rate: flat(1), durationMs: 500 },
    /^error rate: 1\/s is less than one operation in the whole stage: nothing would be done$/,
  ],
  [
    '[RUN-23] a stage shorter than the gap of a slow rate',
    { rate: flat(0.05), durationMs: 10_000 },
    /^error rate: 0\.05\/s is less than one operation in the whole stage/,
  ],
  [
    '[RUN-23] a stage with less than a block due',
    { rate: flat(1000, 'bytes'), durationMs: 2000 },
    /^error rate: 1KB\/s is less than one operation/,
  ],
  [
    'an arrival without a rate',
    { arrival: 'poisson' },
    /^warning arrival: has no effect without a rate$/,
  ],
  [
    'a policy for operations that are not done',
    { stopOn: ['read', 'write'] },
    /^warning error_policy: has no effect: the stage does no write$/,
  ],
] as const satisfies readonly (readonly [string, Partial<StagePlan>, RegExp])[]) {
  test(`${what}: said before anything runs`, () => {
    const found = findings(change);
    assert.equal(found.length, 1);
    assert.match(found[0] ?? '', expected);
  });
}
