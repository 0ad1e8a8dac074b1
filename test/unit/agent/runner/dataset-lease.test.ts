import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { leaseDataset, usedByAnother } from '../../../../src/agent/runner/dataset-lease.js';
import { processMark } from '../../../../src/shared/host/process-mark.js';
import type { RunnerEvent } from '../../../../src/agent/runner/protocol.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { assignmentOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const own = processMark();
const skip = own === undefined && 'the system does not say which process is which';
const name = '.muster-in-use-0.json';

describe('which run uses a dataset', { skip }, () => {
  let folder: ReturnType<typeof temporaryFolder>;
  const events: RunnerEvent[] = [];
  let clock: ManualClock;
  beforeEach(() => {
    folder = temporaryFolder();
    process.chdir(folder.path);
    clock = new ManualClock();
    events.length = 0;
  });
  afterEach(() => {
    process.chdir('/');
    folder.remove();
  });

  const of = (runId: string, agentIndex = 0) =>
    assignmentOf(folder.path, [], { runId, agentIndex });

  /** With all the patience that it has. */
  async function lease(runId: string, agentIndex = 0) {
    const { signal } = new AbortController();
    const emit = (event: RunnerEvent): number => events.push(event);
    const asked = leaseDataset({ clock, signal, emit }, of(runId, agentIndex), '/data/ds/0');
    const outcome = asked.catch(() => undefined);
    for (let waitedMs = 0; waitedMs <= 5000; waitedMs += 250) {
      clock.advance(250);
      await Promise.race([outcome, Promise.resolve().then(() => Promise.resolve())]);
    }
    return asked;
  }

  /** A mark of another run: by default of a process that is there, on this host. */
  function leave(fields: object = {}): void {
    const holder = { runId: 'first', creator: 'ann@ctl', host: os.hostname(), ...own };
    fs.writeFileSync(name, JSON.stringify({ ...holder, leaseMs: 60_000, ...fields }));
  }

  const inUse =
    /^\/data\/ds\/0 is in use by run first of ann@ctl on host [^ ]+: wait until it is over/;

  it('[SAFE-01] a second run is refused, with the name of the first, as long as that lives', async () => {
    leave();
    await assert.rejects(lease('second'), { code: 'dataset', message: inUse });
    assert.match(
      usedByAnother(folder.path, of('second')) ?? '',
      /is in use by run first of ann@ctl/,
    );
    fs.unlinkSync(name);
    assert.equal(usedByAnother(folder.path, of('second')), undefined);
    assert.ok(await lease('second'));
    assert.deepEqual(events, []);
  });

  it('[SAFE-01] what a crash left is taken over with a note', async () => {
    leave({ start: '1' });
    (await lease('second'))?.release();
    const line = 'took over what run first of ann@ctl left in /data/ds/0';
    assert.deepEqual(events, [{ kind: 'log', level: 'info', line }]);
    assert.deepEqual(fs.readdirSync('.'), []);
  });

  it('[SAFE-01] of another host, be it of the same name, a run counts as long as it renews its mark', async () => {
    leave({ scope: 'elsewhere', host: 'node02' });
    await assert.rejects(lease('second'), /on host node02: .*\(60s, should that host have died\)/);
    leave({ scope: 'elsewhere' });
    await assert.rejects(lease('second'), /is in use by run first/);
    const before = fs.statSync(name).mtimeMs / 1000 - 61;
    fs.utimesSync(name, before, before);
    assert.ok(await lease('second'));
    assert.deepEqual(fs.readdirSync('.'), [name], 'looking leaves nothing behind');
  });

  it('[SAFE-01] agents of the same run are not in each other’s way, nor is its next workload process', async () => {
    leave({ runId: 'same' });
    assert.ok(await lease('same'));
    assert.ok(await lease('same', 1));
    assert.deepEqual(events, []);
  });

  it('a mark is renewed while it is held, and removed by nobody but whose it is', async () => {
    const held = await lease('second');
    const long = new Date(0);
    fs.utimesSync(name, long, long);
    clock.advance(assignmentOf('/', [], {}).timeouts.leaseMs / 5);
    await eventually('the mark is renewed', 10_000, () => fs.statSync(name).mtimeMs || undefined);
    leave();
    held?.release();
    assert.deepEqual(fs.readdirSync('.'), [name]);
    assert.equal(clock.armed, 0);
  });

  it('[SAFE-02] a renewal does not write through a link that took the place of the mark', async (t) => {
    const { leaseMs } = assignmentOf('/', [], {}).timeouts;
    const held = await lease('second');
    t.after(() => held?.release());
    const mine = 'x'.repeat(4096);
    fs.writeFileSync('precious', mine);
    fs.unlinkSync(name);
    fs.symlinkSync('precious', name);
    // Each is over soon, and begins only when the one before it is.
    for (let i = 0; i < 20; i += 1) {
      clock.advance(leaseMs / 5);
      await fs.promises.stat('.');
    }
    assert.equal(fs.readFileSync('precious', 'utf8'), mine);
  });

  it('a renewal that hangs is not joined by others, and is followed by the next one when it is over', async (t) => {
    const { leaseMs } = assignmentOf('/', [], {}).timeouts;
    const held = await lease('second');
    // Whoever opens it to write waits for a reader, in a thread of libuv's pool.
    const hanging = `${name}.hangs`;
    execFileSync('mkfifo', [hanging]);
    fs.renameSync(hanging, name);
    const letGo = (): void => {
      fs.closeSync(fs.openSync(name, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK));
    };
    t.after(() => held?.release());
    try {
      for (let i = 0; i < 20; i += 1) clock.advance(leaseMs / 5);
      let looked = false;
      void fs.promises.stat('.').then(() => (looked = true));
      await eventually('a thread is left', 10_000, () => looked || undefined);
    } finally {
      letGo();
    }
    fs.unlinkSync(name);
    leave();
    fs.utimesSync(name, new Date(0), new Date(0));
    await eventually('the next renewal', 10_000, () => {
      clock.advance(leaseMs / 5);
      return fs.statSync(name).mtimeMs || undefined;
    });
  });

  it('a folder in which nothing can be written is used without a mark', async () => {
    fs.mkdirSync(name);
    assert.equal(await lease('second'), undefined);
  });
});
