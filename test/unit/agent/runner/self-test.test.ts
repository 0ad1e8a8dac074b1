import assert from 'node:assert/strict';
import { test } from 'node:test';
import { shapesOf } from '../../../../src/agent/runner/self-test.js';
import { stageOf } from '../../../support/runner-process.js';

test('[MEAS-06] the generator is tested with every shape of stage once; what fio does is not its load', () => {
  const stages = [
    stageOf({ name: 'first' }),
    stageOf({ name: 'like the first, but for the storage', blockSizeBytes: 65_536, direct: true }),
    stageOf({ name: 'threads', threads: 5 }),
    stageOf({ name: 'iodepth', iodepth: 9 }),
    stageOf({ name: 'access', access: { zipf: 1.1 } }),
    stageOf({ name: 'mix', mix: [{ operation: 'stat', weight: 1 }] }),
    stageOf({ name: 'fio', threads: 7, fio: { ioengine: 'psync' } }),
    stageOf({ name: 'the first again' }),
  ];
  assert.deepEqual(
    shapesOf(stages).map((alike) => alike.map(({ name }) => name)),
    [
      ['first', 'like the first, but for the storage', 'the first again'],
      ['threads'],
      ['iodepth'],
      ['access'],
      ['mix'],
    ],
  );
});
