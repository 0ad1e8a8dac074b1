import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatMeanRate,
  formatRate,
  isConstant,
  meanRate,
  parseRate,
} from '../../../../src/shared/model/pacing.js';
import { planOf } from '../../../support/example-plan.js';

const stagesOf = (stage: string) =>
  planOf(`target: /mnt/bench\ndataset: { files: 8, file_size: 1MiB }\nstages: [${stage}]\n`);

test('a rate is operations or bytes per second', () => {
  assert.deepEqual(parseRate('20000/s'), { unit: 'operations', value: 20_000 });
  assert.deepEqual(parseRate('2e4 / s'), { unit: 'operations', value: 20_000 });
  assert.deepEqual(parseRate('0.5/s'), { unit: 'operations', value: 0.5 });
  assert.deepEqual(parseRate('33.333/s'), { unit: 'operations', value: 33.333 });
  assert.deepEqual(parseRate('500MB/s'), { unit: 'bytes', value: 500e6 });
  assert.deepEqual(parseRate('500 MB/s'), { unit: 'bytes', value: 500e6 });
  assert.deepEqual(parseRate('1GiB/s'), { unit: 'bytes', value: 1024 ** 3 });
  for (const wrong of [
    '20000',
    'fast',
    '500 MBs',
    '20 000/s',
    '20k/s',
    '-1/s',
    '5/m',
    '0.0005/s',
    '0.5B/s',
  ]) {
    assert.match(
      (parseRate(wrong) as { problem: string }).problem,
      /write it like 20000\/s/,
      wrong,
    );
  }
  for (const [value, unit] of [
    [1234, 'operations'],
    [0.001, 'operations'],
    [1e9, 'operations'],
    [5e6, 'bytes'],
  ] as const) {
    assert.deepEqual(parseRate(formatRate(value, unit)), { unit, value });
  }
});

test('of a part of a rate no more digits are printed than are worth reading', () => {
  const printed = [0.5 / 3, 0.01 / 8, 100 / 3, 20_000 / 3].map((one) =>
    formatMeanRate(one, 'operations'),
  );
  assert.deepEqual(printed, ['0.167/s', '0.00125/s', '33.3/s', '6667/s']);
  assert.equal(formatMeanRate(1e6 / 3, 'bytes'), '333333B/s');
});

test('a rate is one value, a ramp, or steps', () => {
  const rateOf = (text: string) =>
    stagesOf(`{ name: s, mix: read, duration: 10s, rate: ${text} }`).plan.stages[0]?.rate;
  const flat = rateOf('100/s');
  const ramp = rateOf('{ from: 100/s, to: 300/s }');
  const steps = rateOf('[1MB/s, 5MB/s]');
  const slow = rateOf('{ from: 0.2/s, to: 0.4/s }');
  assert.deepEqual(slow?.steps, [{ from: 0.2, to: 0.4 }]);
  assert.ok(flat && ramp && steps);
  assert.deepEqual(flat, { unit: 'operations', steps: [{ from: 100, to: 100 }] });
  assert.deepEqual(ramp, { unit: 'operations', steps: [{ from: 100, to: 300 }] });
  assert.deepEqual(
    steps.steps.map(({ from, to }) => [from, to]),
    [
      [1e6, 1e6],
      [5e6, 5e6],
    ],
  );
  assert.deepEqual([flat, ramp, steps].map(isConstant), [true, false, false]);
  assert.deepEqual([flat, ramp, steps].map(meanRate), [100, 200, 3e6]);
});

for (const [stage, problem] of [
  ['rate: 0/s', /out of bounds: 0\.01\/s … 1e9\/s/],
  ['rate: 0.009/s', /out of bounds/],
  ['rate: 0.0005/s', /is not a rate; write it like 20000\/s or 0\.5\/s/],
  ['rate: 1000000001/s', /out of bounds/],
  ['rate: 20000', /is not a rate; write it like 20000\/s/],
  ['rate: { from: 1/s, to: 1MB/s }', /mixes operations and bytes/],
  ['rate: [5/s]', /needs at least two rates/],
  ['rate: { from: 5/s }', /to/],
  ['arrival: uniform, rate: 5/s', /must be one of constant, poisson/],
  ['max_error_rate: 1', /percentage such as 1%/],
  ['max_error_rate: 101%', /at most 100%/],
  ['error_policy: ignore', /must be continue, stop/],
  ['error_policy: { writes: stop }', /unknown key/],
  ['think_time: 5', /no unit/],
] as const) {
  test(`[CONF-01] ${stage} is refused with what to write`, () => {
    assert.throws(
      () => stagesOf(`{ name: s, mix: read, duration: 10s, ${stage} }`),
      (error: Error) => problem.test(error.message),
    );
  });
}
