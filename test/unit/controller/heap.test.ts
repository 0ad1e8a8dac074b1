import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';

const heap = new URL('../../../src/controller/heap.js', import.meta.url).href;

/** Much that lives for a while, and the new space after it. */
const program = (before: string): string => `
  import { getHeapSpaceStatistics } from 'node:v8';
  ${before}
  const recent = [];
  for (let turn = 0; turn < 100; turn++) {
    recent[turn % 8] = Array.from({ length: 40_000 }, (_, index) => ({ index, of: [turn] }));
  }
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space');
  process.stdout.write(String(space.space_size / 2 ** 20));
`;

function newSpaceMebibytes(before: string): number {
  const argv = ['--input-type=module', '--eval', program(before)];
  return Number(execFileSync(process.execPath, argv, { encoding: 'utf8' }));
}

describe('the heap of the controller', () => {
  it('[PERF-07] has a new space of 16 MiB, however much is alive', () => {
    assert.ok(newSpaceMebibytes('') > 16, 'V8 has come to limit it by itself');
    const small = `import { keepHeapSmall } from '${heap}'; keepHeapSmall();`;
    assert.equal(newSpaceMebibytes(small), 16);
  });
});
