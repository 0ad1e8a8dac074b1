import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAgentProcess } from '../support/agent-process.js';
import { Desk } from '../support/cli-run.js';
import { filesBelow } from '../support/temporary-folder.js';

const blockSize = 4096;
const count = 100;

/** SHA-256 of each block of all data files, by file and number of the block. */
function blocksOf(folder: string): ReadonlyMap<string, string> {
  const files = filesBelow(folder).filter((file) => file.includes('/data/'));
  assert.equal(files.length, 4, files.join(' '));
  const blocks = files.flatMap((file) => {
    const bytes = readFileSync(join(folder, file));
    return Array.from({ length: bytes.length / blockSize }, (_, k): [string, string] => {
      const block = bytes.subarray(k * blockSize, (k + 1) * blockSize);
      return [`${file} ${String(k)}`, createHash('sha256').update(block).digest('hex')];
    });
  });
  return new Map(blocks);
}

test('[MEAS-02] the same config and seed write to the same places on the disk; another seed chooses others', async (t) => {
  const desk = new Desk(t);
  const agent = await startAgentProcess();
  t.after(() => agent.program.stop());
  const dataset = { name: 'ds', files: 4, file_size: '256KiB' };
  // One thread: which of two comes last at a place is not a matter of the seed.
  const write = { name: 'w', mix: 'write', threads: 1, block_size: '4KiB', access: 'random' };
  const stages = [{ ...write, max_operations: count }];
  let made = 0;
  /** The places that the run changed: random content is another in every run, on purpose. */
  const written = async (seed: number): Promise<readonly string[]> => {
    made += 1;
    const target = desk.folder(`target-${String(made)}`);
    const config = desk.config({ target, dataset, stages, seed }, `run-${String(made)}.json`);
    const prepared = await desk.command('prepare', config, '--agents', agent.address);
    assert.equal(prepared.code, 0, prepared.stderr);
    const before = blocksOf(target);
    const ran = await desk.run(config, '--skip-prepare', '--agents', agent.address);
    assert.equal(ran.code, 0, ran.stdout + ran.stderr);
    const blocks = blocksOf(target);
    return [...blocks.keys()].filter((at) => blocks.get(at) !== before.get(at));
  };
  const first = await written(21);
  assert.ok(first.length > count / 2 && first.length <= count, `${String(first.length)} places`);
  assert.deepEqual(await written(21), first);
  assert.notDeepEqual(await written(22), first);
});
