import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { writeManifest } from '../../../../src/agent/runner/dataset-files.js';
import { FileRanges } from '../../../../src/agent/runner/file-ranges.js';
import { awaitNeighbours, dataOf, markHere } from '../../../../src/agent/runner/neighbour.js';
import type { RunnerEvent } from '../../../../src/agent/runner/protocol.js';
import type { RunnerParts } from '../../../../src/agent/runner/runner-parts.js';
import { HastyClock } from '../../../support/hasty-clock.js';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const shifted = stageOf({ name: 'other', shift: 1 });
const assignment = assignmentOf('/mnt/t', [stageOf(), shifted], { agentCount: 3, agentIndex: 2 });

/** Within `<folder>/2`, as agent 2 of three is. */
async function within(
  work: (parts: RunnerParts, events: readonly RunnerEvent[]) => Promise<void>,
  onEvent: () => void = () => undefined,
) {
  const folder = temporaryFolder();
  const before = process.cwd();
  fs.mkdirSync(`${folder.path}/0`);
  fs.mkdirSync(`${folder.path}/2`);
  process.chdir(`${folder.path}/2`);
  try {
    const events: RunnerEvent[] = [];
    const parts = {
      clock: new HastyClock(),
      signal: new AbortController().signal,
      emit: (event: RunnerEvent) => {
        events.push(event);
        onEvent();
      },
    };
    await work(parts as unknown as RunnerParts, events);
  } finally {
    process.chdir(before);
    folder.remove();
  }
}

test('a stage goes to the agent so many places further on, round and round', () => {
  assert.equal(dataOf(assignment, stageOf()), 2);
  assert.equal(dataOf(assignment, shifted), 0);
  assert.equal(dataOf(assignment, stageOf({ shift: 2 })), 1);
});

test('in a shared namespace there is no neighbour to wait for: the files are the same for all', async () => {
  await within(async (parts, events) => {
    await awaitNeighbours(parts, { ...assignment, namespace: 'shared' }, 'complete');
    assert.deepEqual(events, []);
  });
});

test('[SAFE-01] a neighbour’s files are read only once it has left word of this very run, and they are complete', async () => {
  const complete = new FileRanges([[0, 8]]);
  await within(
    async (parts, events) => {
      markHere(assignment);
      assert.equal(fs.readFileSync('.muster-here.json', 'utf8'), assignment.runId);
      fs.writeFileSync('../0/.muster-here.json', assignment.runId);
      await awaitNeighbours(parts, assignment, 'complete');
      assert.equal(events.length, 1, 'it was waited for');
      assert.equal(events[0]?.kind, 'progress');
    },
    () => {
      writeManifest('../0', 0, assignment.dataset.hash, { complete });
    },
  );
});

test('[SAFE-01] what an earlier run left in the neighbour’s place does not count: the target is not shared', async () => {
  await within(async (parts) => {
    fs.writeFileSync('../0/.muster-here.json', 'another run');
    writeManifest('../0', 0, assignment.dataset.hash, { complete: new FileRanges([[0, 8]]) });
    await assert.rejects(awaitNeighbours(parts, assignment, 'complete'), {
      message:
        'stage "other" reads what agent 0 makes, but that does not show in /mnt/t: shift needs one file system that all agents have mounted there',
    });
  });
});

test('without shift nothing is left and nobody waited for', async () => {
  await within(async (parts) => {
    fs.writeFileSync('.muster-here.json', 'of an earlier run');
    const alone = { ...assignment, stages: [stageOf()] };
    markHere(alone);
    assert.deepEqual(fs.readdirSync('.'), []);
    await awaitNeighbours(parts, alone, 'complete');
  });
});
