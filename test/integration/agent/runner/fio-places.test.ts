/** Where fio goes with the job files that agents give it, by its own log of its operations. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Assignment, StageAssignment } from '../../../../src/shared/model/assignment.js';
import { fioJob } from '../../../../src/agent/runner/fio/job-file.js';
import { fioDataset, fioOpenProblem } from '../../../../src/agent/runner/fio/open-files.js';
import { checkFio } from '../../../../src/agent/runner/fio/preflight.js';
import { fioSeed } from '../../../../src/agent/runner/fio/seed.js';
import { roomForFiles } from '../../../../src/agent/runner/open-files.js';
import { assignedStage, lacksFio } from '../../../support/fio.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const byOperations = { ...assignedStage, durationMs: undefined };

/** Carries stages out over files of its own. @returns of each thread, file and offset of its reads in their order */
function fioOver(t: TestContext, files: number, bytes: number) {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  for (let file = 0; file < files; file++) {
    fs.writeFileSync(path.join(folder.path, `f.${String(file)}`), Buffer.alloc(bytes, 1));
  }
  const use = { from: 0, to: files };
  return (stage: StageAssignment, seed: number): readonly (readonly string[])[] => {
    const { text, threads } = fioJob(stage, fioDataset(stage, { use, content: 'random' }), seed);
    const logged = text
      .replace(/^exec_prerun=.*\n/m, '')
      .replace(/^\[t(\d)\]$/gm, '[t$1]\nwrite_iolog=log.$1');
    execFileSync('fio', ['-'], { cwd: folder.path, input: logged, stdio: 'pipe' });
    return Array.from({ length: threads }, (_, thread) => {
      const file = path.join(folder.path, `log.${String(thread)}`);
      const log = fs.readFileSync(file, 'utf8');
      // The next one would be appended.
      fs.rmSync(file);
      return [...log.matchAll(/ (f\.\d+) read (\d+) 4096$/gm)].map(
        ([, name = '', offset = '']) => `${name} ${offset}`,
      );
    });
  };
}

test('[MEAS-02] [ENG-02] fio’s places follow from the run’s seed, and differ from stage to stage, agent to agent and thread to thread', (t) => {
  if (lacksFio(t)) return;
  const run = fioOver(t, 1, 4 * 1024 ** 2);
  const stage = { ...byOperations, maxOperations: 64 };
  const places = (seed: number): readonly string[] =>
    run(stage, seed).map((reads) => {
      assert.equal(reads.length, 32);
      return reads.join();
    });
  const first = places(fioSeed(42, 0, 0));
  assert.deepEqual(places(fioSeed(42, 0, 0)), first);
  // 0 is a seed as any other.
  const others = [fioSeed(43, 0, 0), fioSeed(42, 1, 0), fioSeed(42, 0, 1), fioSeed(0, 0, 0)];
  const all = [...first, ...others.flatMap(places)];
  assert.equal(new Set(all).size, 2 * (1 + others.length), all.join('\n'));
});

test('[MEAS-02] [ENG-02] fio goes to all files of the dataset, however many there are', (t) => {
  if (lacksFio(t)) return;
  const files = 300;
  const run = fioOver(t, files, 2 * 4096);
  const hotspot = { data: 0.5, operations: 0.8 };
  for (const access of ['random', 'shuffled', 'sequential', { hotspot }] as const) {
    const stage = { ...byOperations, access, threads: 1, maxOperations: 2 * files };
    const [reads = []] = run(stage, 1);
    const touched = new Set(reads.map((read) => read.split(' ')[0]));
    assert.deepEqual([reads.length, touched.size], [2 * files, files], JSON.stringify(access));
  }
});

test('[ENG-02] a host that does not let every thread of fio open all files is told so, unless they are gone through in order', async (t) => {
  if (lacksFio(t)) return;
  const stage = { ...assignedStage, threads: 256 };
  const room = roomForFiles(stage.threads);
  const problemOf = (files: number, access: StageAssignment['access']): string | undefined => {
    const asked = { ...stage, access };
    const use = { from: 0, to: files };
    return fioOpenProblem(asked, fioDataset(asked, { use, content: 'random' }));
  };
  assert.equal(problemOf(room, 'random'), undefined);
  assert.match(
    problemOf(room + 1, { zipf: 1.2 }) ?? '',
    new RegExp(
      `all ${String(room + 1)} have to be.*leaves room for ${String(room)}: raise it`,
      'u',
    ),
  );
  assert.equal(problemOf(room + 1, 'sequential'), undefined);
  // More than any host allows.
  const dataset = { use: { from: 0, to: 2e6 }, content: 'random' };
  const assignment = { stages: [stage], dataset, seed: 1 } as unknown as Assignment;
  await assert.rejects(checkFio(assignment), /stage "s": fio chooses among .*: raise it/u);
});
