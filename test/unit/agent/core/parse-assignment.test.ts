import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAssignment } from '../../../../src/agent/core/parse-assignment.js';
import { assignmentOf } from '../../../support/agent-driver.js';

test('a right assignment is taken as it is', () => {
  const assignment = assignmentOf();
  assert.deepEqual(parseAssignment(JSON.stringify(assignment)), assignment);
});

test('a wrong assignment is refused with every field named', () => {
  assert.throws(() => parseAssignment('{'), { message: 'it is not JSON' });
  const wrong = { ...assignmentOf(), seed: -1, mode: 'destroy' };
  assert.throws(
    () => parseAssignment(JSON.stringify(wrong)),
    (thrown: Error) => {
      assert.match(thrown.message, /mode: /);
      assert.match(thrown.message, /; seed: |^seed: .*; mode: /);
      return true;
    },
  );
  assert.throws(() => parseAssignment('null'), /expected object/);
});

test('an assignment with a field too many is refused', () => {
  const text = JSON.stringify({ ...assignmentOf(), sudo: true });
  assert.throws(() => parseAssignment(text), /sudo/);
});
