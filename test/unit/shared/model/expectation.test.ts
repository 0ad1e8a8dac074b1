import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate, parseExpectation } from '../../../../src/shared/model/expectation.js';
import type { Expectation } from '../../../../src/shared/model/plan.js';

function parsed(text: string): Expectation {
  const result = parseExpectation(text);
  assert(!('problem' in result), text);
  return result;
}

test('a threshold names stage, operation, metric, comparison and value in the unit of the metric', () => {
  assert.deepEqual(parsed(' rand-read.read.response.p99 < 5ms '), {
    text: 'rand-read.read.response.p99 < 5ms',
    stage: 'rand-read',
    operation: 'read',
    metric: 'response.p99',
    comparison: '<',
    value: 5_000_000,
  });
  assert.equal(parsed('a.read.service.p99.9<=250us').metric, 'service.p99_9');
  assert.equal(parsed('a.read.service.p99_9<=250us').value, 250_000);
  assert.equal(parsed('a.read.service.p99 < 5 ms').value, 5_000_000);
  assert.equal(parsed('a.bytes_per_second > 2 GB / s').value, 2e9);
  assert.equal(parsed('a.errors == 0').operation, undefined);
  assert.equal(parsed('a.put.count >= 1e6').value, 1_000_000);
  assert.equal(parsed('a.read.per_second > 20_000/s').value, 20_000);
  assert.equal(parsed('a.read.per_second >= 0.5').value, 0.5);
  assert.equal(parsed('a.bytes_per_second > 2GB/s').value, 2e9);
});

test('a threshold that cannot be understood is refused with what would be', () => {
  const rows = [
    ['a', /write it like rand-read.read.response.p99 < 5ms/],
    ['a.read.service.p99 ~ 5ms', /is not a threshold/],
    [
      'a.read.service.p98 < 5ms',
      /no metric "service.p98"; there is service.mean, .*, bytes_per_second$/,
    ],
    ['a.read.latency < 5ms', /no metric "latency"/],
    [
      'a.service.p99 < 5ms',
      /a latency belongs to one operation; write <stage>.<operation>.service.p99/,
    ],
    ['a.speed > 5', /no metric "speed"; there is count, errors.*, or an operation before it$/],
    ['a.read.service.p99 < 5', /5" has no unit/],
    ['a.errors < 5ms', /not a count/],
    ['a.errors < 5 or so', /not a count/],
    ['a.errors < 0.5', /not a whole number/],
    ['a.errors < 5/s', /not a count/],
    ['a.bytes_per_second > 5G', /ambiguous/],
  ] as const;
  for (const [text, expected] of rows) {
    const result = parseExpectation(text);
    assert.match('problem' in result ? result.problem : 'accepted', expected, text);
  }
});

test('each comparison is what it says', () => {
  const rows = [
    ['<', [true, false, false]],
    ['<=', [true, true, false]],
    ['>', [false, false, true]],
    ['>=', [false, true, true]],
    ['==', [false, true, false]],
    ['!=', [true, false, true]],
  ] as const;
  for (const [comparison, expected] of rows) {
    const expectation = parsed(`a.errors ${comparison} 5`);
    assert.deepEqual(
      [4, 5, 6].map((value) => evaluate(expectation, value)),
      expected,
      comparison,
    );
  }
});

test('a threshold on what was not measured is not met', () => {
  assert.equal(evaluate(parsed('a.errors != 5'), undefined), false);
  assert.equal(evaluate(parsed('a.errors != 5'), Number.NaN), false);
});
