import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadPlanOf } from '../../../../src/controller/commands/plan-options.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

test('[CLI-01] what is odd about stages is warned of by commands that run or prepare, not by `cleanup`', async (t) => {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const file = join(folder.path, 'bench.yaml');
  writeFileSync(
    file,
    `agents: [a, b]\ntarget: /mnt/x\nstages: [{ name: s, mix: put, duration: 1s, noatime: true }]\n`,
  );
  const warnings = async (mode?: 'prepare' | 'cleanup'): Promise<number> => {
    let printed = '';
    const stderr = { write: (text: string) => (printed += text) };
    await loadPlanOf(file, { set: [] }, { env: {}, stderr }, mode);
    return printed.split('\n').filter((line) => line.startsWith('WARNING: ')).length;
  };
  assert.equal(await warnings(), 2);
  assert.equal(await warnings('prepare'), 2);
  assert.equal(await warnings('cleanup'), 0);
});
