/** Where fio goes with the job files that agents give it, by its own log of its operations. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fioJob } from '../../../../src/agent/runner/fio/job-file.js';
import { fioSeed } from '../../../../src/agent/runner/fio/seed.js';
import { assignedStage, lacksFio } from '../../../support/fio.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

test('[MEAS-02] [ENG-02] fio’s places follow from the run’s seed, and differ from stage to stage, agent to agent and thread to thread', (t) => {
  if (lacksFio(t)) return;
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  fs.writeFileSync(path.join(folder.path, 'f.0'), Buffer.alloc(4 * 1024 ** 2, 1));
  const stage = { ...assignedStage, durationMs: undefined, maxOperations: 64 };
  /** Of each thread, the offsets in their order. */
  const places = (seed: number): readonly string[] => {
    const { text } = fioJob(stage, { files: 1, content: 'random' }, seed);
    const logged = text
      .replace(/^exec_prerun=.*\n/m, '')
      .replace(/^\[t(\d)\]$/gm, '[t$1]\nwrite_iolog=log.$1');
    execFileSync('fio', ['-'], { cwd: folder.path, input: logged, stdio: 'pipe' });
    return [0, 1].map((thread) => {
      const file = path.join(folder.path, `log.${String(thread)}`);
      const log = fs.readFileSync(file, 'utf8');
      // The next one would be appended.
      fs.rmSync(file);
      const reads = [...log.matchAll(/ read (\d+) 4096$/gm)].map(([, offset]) => offset);
      assert.equal(reads.length, 32, log);
      return reads.join(' ');
    });
  };

  const first = places(fioSeed(42, 0, 0));
  assert.deepEqual(places(fioSeed(42, 0, 0)), first);
  // 0 is a seed as any other.
  const others = [fioSeed(43, 0, 0), fioSeed(42, 1, 0), fioSeed(42, 0, 1), fioSeed(0, 0, 0)];
  const all = [...first, ...others.flatMap(places)];
  assert.equal(new Set(all).size, 2 * (1 + others.length), all.join('\n'));
});
