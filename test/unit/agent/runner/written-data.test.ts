import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readManifest, writeManifest } from '../../../../src/agent/runner/dataset-files.js';
import { Aborted } from '../../../../src/agent/runner/failure.js';
import { FileRanges } from '../../../../src/agent/runner/file-ranges.js';
import type { RunnerEvent } from '../../../../src/agent/runner/protocol.js';
import type { RunnerParts } from '../../../../src/agent/runner/runner-parts.js';
import { WrittenData } from '../../../../src/agent/runner/written-data.js';
import { HastyClock } from '../../../support/hasty-clock.js';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

test('[SAFE-01] with prepare none no file of a shared dataset is looked at while another agent may still write it', async (t) => {
  const folder = temporaryFolder();
  const before = process.cwd();
  process.chdir(folder.path);
  t.after(() => {
    process.chdir(before);
    folder.remove();
  });
  const dataset = { prepare: 'none', own: { from: 0, to: 4 } } as const;
  const shared = { agentCount: 2, namespace: 'shared', dataset } as const;
  const assignment = assignmentOf('/mnt/t', [stageOf()], shared);
  const { hash } = assignment.dataset;
  writeManifest('.', 1, hash, { empty: new FileRanges([[4, 8]]) });
  const abort = new AbortController();
  const events: RunnerEvent[] = [];
  // Nothing to look with: there are no threads.
  const parts = {
    clock: new HastyClock(),
    signal: abort.signal,
    emit: (event: RunnerEvent) => {
      if (events.push(event) === 3) abort.abort();
    },
  };
  const written = new WrittenData(parts as unknown as RunnerParts, assignment);
  await assert.rejects(written.before(stageOf()), Aborted);
  assert.deepEqual(
    events.map((event) => event.kind === 'progress' && event.phase),
    ['wait', 'wait', 'wait'],
  );
  assert.equal(readManifest('.', 0, hash).written, true, 'the other one need not wait for this');
});
