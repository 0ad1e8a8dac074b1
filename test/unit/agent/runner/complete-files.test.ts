import assert from 'node:assert/strict';
import { beforeEach, afterEach, test } from 'node:test';
import {
  awaitOtherAgents,
  awaitOtherWriters,
  completeFiles,
} from '../../../../src/agent/runner/complete-files.js';
import { writeManifest } from '../../../../src/agent/runner/dataset-files.js';
import { FileRanges } from '../../../../src/agent/runner/file-ranges.js';
import type { RunnerEvent } from '../../../../src/agent/runner/protocol.js';
import type { RunnerParts } from '../../../../src/agent/runner/runner-parts.js';
import { HastyClock } from '../../../support/hasty-clock.js';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

/** Agent 0 of two, each of which makes four of eight files. */
const shared = assignmentOf('/mnt/t', [stageOf()], { agentCount: 2, namespace: 'shared' });
const { hash } = shared.dataset;
const halves = [new FileRanges([[0, 4]]), new FileRanges([[4, 8]])] as const;
let folder: ReturnType<typeof temporaryFolder>;
const before = process.cwd();

beforeEach(() => {
  folder = temporaryFolder();
  process.chdir(folder.path);
});
afterEach(() => {
  process.chdir(before);
  folder.remove();
});

/** What was said until the wait was over; `steps` happen one after the other, each when the agent has said that it waits. */
async function waited(
  wait: (parts: RunnerParts) => Promise<void>,
  steps: readonly (() => void)[],
): Promise<readonly RunnerEvent[]> {
  const events: RunnerEvent[] = [];
  const parts = {
    clock: new HastyClock(),
    signal: new AbortController().signal,
    emit: (event: RunnerEvent) => {
      steps[events.length]?.();
      events.push(event);
    },
  };
  await wait(parts as unknown as RunnerParts);
  return events;
}

test('[SAFE-01] files of a shared dataset are complete by whose manifest it may be, of one’s own by the agent’s alone', () => {
  writeManifest('.', 0, hash, { complete: halves[0] });
  writeManifest('.', 1, hash, { complete: halves[1] });
  assert.deepEqual(completeFiles(shared).toArray(), [[0, 8]]);
  // What another agent lists cannot be meant for this one's own.
  assert.deepEqual(completeFiles({ ...shared, namespace: 'private' }).toArray(), [[0, 4]]);
});

test('[SAFE-01] what stages have yet to write is there, but not complete', async () => {
  writeManifest('.', 0, hash, { complete: halves[0] });
  const empty = (): void => {
    writeManifest('.', 1, hash, { empty: halves[1] });
  };
  const complete = (): void => {
    writeManifest('.', 1, hash, { complete: halves[1] });
  };
  const events = await waited(
    (parts) => awaitOtherAgents(parts, shared, 'complete'),
    [empty, complete],
  );
  assert.deepEqual(
    events.map((event) => event.kind === 'progress' && [event.phase, event.filesDone]),
    [
      ['wait', 4],
      ['wait', 4],
    ],
  );
  empty();
  assert.deepEqual(await waited((parts) => awaitOtherAgents(parts, shared, 'made'), []), []);
});

test('[SAFE-01] files are looked at once all agents of a shared dataset are past the stages that write it', async () => {
  const isPast = (agent: number) => (): void => {
    writeManifest('.', agent, hash, { empty: halves[agent]!, written: true });
  };
  isPast(0)();
  const nothing = (): void => undefined;
  const events = await waited((parts) => awaitOtherWriters(parts, shared), [nothing, isPast(1)]);
  assert.equal(events.length, 2, 'it said so, and waited on');
  const alone = { ...shared, namespace: 'private' } as const;
  writeManifest('.', 1, hash, { empty: halves[1] });
  assert.deepEqual(await waited((parts) => awaitOtherWriters(parts, alone), []), []);
});
