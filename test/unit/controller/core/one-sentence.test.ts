import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneSentence } from '../../../../src/controller/core/one-sentence.js';

const of = (...ends: readonly string[]): string =>
  oneSentence(ends.flatMap((end) => ['a', 'b'].map((id) => `Agent ${id}${end}`)));

test('[RUN-05] what is the same of several agents is said once, in the plural where its words are', () => {
  const plural = [
    ' failed: no space left',
    ' unreachable after 5s: connection refused',
    ' did not answer Open within 5s',
    ' unreachable after 5s: the name of its host is not known',
    ': version 1.0.0 speaks protocol 2, this controller speaks 3',
  ];
  for (const end of plural) assert.equal(of(end), `Agents a and b${end}`);
});

test('[RUN-05] what fits one agent only is said of each of them: the number of its words is right', () => {
  const singular = [
    ': it has no token, so it would obey anybody, and this controller has one',
    ': it wants a token, and this controller has none',
    ': its certificate has expired',
    ' is lost: reset',
    ' is not back at the end of stage mixed',
    ' was restarted: its part of the run is lost',
    ' does not hear us (no clock probe answered for 10s)',
    ' missed the start of its stage and is left out',
  ];
  for (const end of singular) assert.equal(of(end), `Each of the agents a and b${end}`);
  const fleet = Array.from({ length: 14 }, (_, i) => `Agent a${String(i + 1)} is lost: reset`);
  assert.match(
    oneSentence(fleet),
    /^Each of the agents a1, a2, .*, a10 and 4 more is lost: reset$/,
  );
});

test('one agent, and causes that differ, stay as they are', () => {
  const causes = ['Agent a is lost: reset', 'Agent b: it has no token'];
  assert.equal(oneSentence(causes), causes.join('; '));
});
