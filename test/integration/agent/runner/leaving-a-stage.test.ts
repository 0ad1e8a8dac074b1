import assert from 'node:assert/strict';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { RunnerCommand } from '../../../../src/agent/runner/protocol.js';
import { eventually } from '../../../support/eventually.js';
import { assignmentOf, RunnerProcess, stageOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const abort: RunnerCommand = { kind: 'abort', reason: 'Ctrl-C', graceMs: 30_000 };

describe('runner, a stage that goes on without it', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let runner: RunnerProcess;
  let pid: number;

  beforeEach(() => {
    folder = temporaryFolder();
    runner = new RunnerProcess();
    pid = runner.child.pid ?? 0;
  });
  afterEach(async () => {
    await runner.kill();
    folder.remove();
  });

  /** It finds all of them when it looks for the first. */
  async function tellAtOnce(...commands: RunnerCommand[]): Promise<void> {
    process.kill(pid, 'SIGSTOP');
    const isStopped = () => fs.readFileSync(`/proc/${String(pid)}/stat`, 'latin1').includes(') T ');
    await eventually('runner stopped', 30_000, () => isStopped() || undefined);
    for (const command of commands) runner.tell(command);
    process.kill(pid, 'SIGCONT');
  }

  function children(): readonly string[] {
    const list = fs.readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, 'latin1');
    return list.split(' ').filter((child) => child !== '');
  }

  it('[RUN-12] heeds an abort while it leaves the stage to clean up: nothing is removed', async () => {
    runner.prepare(assignmentOf('null:', [stageOf()]));
    await runner.event('ready');
    await tellAtOnce({ kind: 'cleanup' }, abort);
    await runner.event('aborted');
    assert.equal(runner.all('cleaned').length, 0);
  });

  it('[RUN-12] heeds an abort while it leaves the stage, before it sets up a later one', async () => {
    runner.prepare(assignmentOf('null:', [stageOf(), stageOf()]));
    await runner.event('ready');
    await tellAtOnce({ kind: 'arm', stage: 1, epoch: 0, atNs: 0n }, abort);
    await runner.event('aborted');
    assert.equal(runner.all('ready').length, 1);
  });

  it('[RUN-07] [RUN-12] ends the fio that it held for the stage, and the next one when it is aborted', async () => {
    const fio = { ioengine: 'psync' };
    runner.prepare(assignmentOf(folder.path, [stageOf({ fio }), stageOf({ fio })]));
    await runner.event('ready');
    const held = children();
    assert.equal(held.length, 1);
    runner.tell({ kind: 'arm', stage: 1, epoch: 0, atNs: 0n });
    await runner.event('ready', ({ stage }) => stage === 1);
    assert.equal(children().length, 1);
    assert.notDeepEqual(children(), held);
    runner.tell(abort);
    await runner.event('aborted');
    await eventually('fio gone', 30_000, () => children().length === 0 || undefined);
  });
});
