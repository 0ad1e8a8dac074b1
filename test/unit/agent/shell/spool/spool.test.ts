import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { Spool } from '../../../../../src/agent/shell/spool/spool.js';
import { defaultSpoolFolders } from '../../../../../src/agent/shell/spool/spool-folder.js';
import { SpoolWriter } from '../../../../../src/agent/shell/spool/spool-writer.js';
import { readSpool } from '../../../../../src/agent/shell/spool/read-spool.js';
import type { AgentMessage } from '../../../../../src/shared/model/messages.js';
import { decodePayload } from '../../../../../src/shared/wire/codec.js';
import { eventually } from '../../../../support/eventually.js';
import { ManualClock } from '../../../../support/manual-clock.js';
import { aHeartbeat, anIntervalOf, statsOf } from '../../../../support/sample-messages.js';
import { filesBelow, temporaryFolder } from '../../../../support/temporary-folder.js';

const uid = process.getuid?.() ?? 0;
const run = { runId: 'run-1', secret: 'secret', identity: 'ann@ctl' };
const key = { runId: 'run-1', secret: 'secret', instanceId: 'one' };
const hourMs = 60 * 60 * 1000;

/** Its wall clock is the real one, which is what files are dated by. */
class WallClock extends ManualClock {
  override unixMs(): number {
    return Date.now();
  }
}

function interval(first: number): AgentMessage {
  return { kind: 'interval', ...anIntervalOf({ first, operations: [statsOf({ count: first })] }) };
}

function place(t: TestContext) {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const lines: string[] = [];
  const failures: string[] = [];
  const clock = new WallClock();
  const open = (instanceId = 'one', spoolFolder = path.join(folder.path, 'spool')) =>
    Spool.open({
      folders: [spoolFolder],
      ...{ uid, instanceId, clock },
      log: (level, line) => {
        if (level !== 'debug') lines.push(`${level} ${line}`);
      },
      onFailure: (line) => failures.push(line),
    });
  return { folder: folder.path, open, lines, failures, clock };
}

async function read(
  spool: Spool,
  wanted = key,
): Promise<{ messages: AgentMessage[]; damaged: number }> {
  const messages: AgentMessage[] = [];
  let damaged = 0;
  for await (const batch of spool.read(wanted)) {
    damaged += batch.damaged;
    messages.push(...batch.payloads.map((bytes) => decodePayload(bytes) as AgentMessage));
  }
  return { messages, damaged };
}

test('[LINK-06] what a killed agent reported is offered by the next one with the same spool, for the secret only', async (t) => {
  const { open, lines, folder } = place(t);
  const first = await open();
  assert.deepEqual(lines, []);
  first.begin(run);
  for (let second = 0; second < 3; second++) first.add(interval(second));
  assert.equal((await read(first)).messages.length, 3, 'also while the run has the agent');
  // As a kill would: nothing is closed.
  const second = await open('two');
  assert.match(lines.join(), /^info checkpoint available for run run-1 of ann@ctl \(\d+ KiB\)$/);
  assert.deepEqual(
    second.offers.map(({ runId, identity, instanceId }) => [runId, identity, instanceId]),
    [['run-1', 'ann@ctl', 'one']],
  );
  const { messages, damaged } = await read(second);
  assert.deepEqual(messages, [0, 1, 2].map(interval));
  assert.equal(damaged, 0);
  assert.equal(second.find({ ...key, secret: 'another' }), undefined);
  assert.equal(second.find({ ...key, instanceId: 'two' }), undefined);
  assert.equal(second.find({ ...key, runId: 'run-2' }), undefined);
  await first.close();
  await second.forget(key);
  assert.deepEqual(second.offers, []);
  assert.deepEqual(filesBelow(folder), []);
});

test('the spool is for its user only', async (t) => {
  const { open, folder } = place(t);
  const spool = await open();
  spool.begin(run);
  spool.add(interval(0));
  await read(spool);
  const inside = path.join(folder, 'spool');
  assert.equal(statSync(inside).mode & 0o777, 0o700);
  for (const name of readdirSync(inside)) {
    assert.equal(statSync(path.join(inside, name)).mode & 0o777, 0o600);
  }
  await spool.close();
});

test('what its controller has is forgotten at once, what it has not is kept for an hour', async (t) => {
  const { open, folder, clock } = place(t);
  const spool = await open();
  spool.begin(run);
  spool.add(interval(0));
  await spool.end(true);
  assert.deepEqual(filesBelow(folder), []);
  assert.deepEqual(spool.offers, []);
  spool.begin({ ...run, runId: 'run-2' });
  spool.add(interval(0));
  await spool.end(false);
  assert.equal(spool.offers.length, 1);
  assert.equal(filesBelow(folder).length, 1);
  const [name = ''] = filesBelow(folder);
  const { size, mtimeMs } = statSync(path.join(folder, name));
  const other = await open('other');
  for (const { offers } of [spool, other]) {
    assert.equal(offers[0]?.bytes, size);
    assert.ok(Math.abs(offers[0].savedUnixMs - mtimeMs) < 60_000);
  }
  await other.close();
  const longAgo = (Date.now() - hourMs - 1000) / 1000;
  utimesSync(path.join(folder, name), longAgo, longAgo);
  // Another agent starts: what is older than an hour goes.
  const next = await open('two');
  assert.deepEqual(next.offers, []);
  assert.deepEqual(filesBelow(folder), []);
  await next.close();
  await spool.close();
  assert.equal(clock.armed, 0);
  assert.deepEqual(readdirSync(folder), [], 'an empty folder does not stay');
});

test('[LINK-06] of what nobody fetched the newest 256 MiB are kept', async (t) => {
  const { open, folder, lines } = place(t);
  const spool = await open();
  for (const runId of ['older', 'newer']) {
    spool.begin({ ...run, runId });
    spool.add(interval(0));
    await spool.end(false);
  }
  const inside = path.join(folder, 'spool');
  for (const name of readdirSync(inside)) {
    const file = path.join(inside, name);
    truncateSync(file, 150 * 2 ** 20);
    const seconds = Date.now() / 1000 - (name.startsWith('older') ? 60 : 30);
    utimesSync(file, seconds, seconds);
  }
  const next = await open('two');
  assert.deepEqual(
    next.offers.map(({ runId }) => runId),
    ['newer'],
  );
  assert.match(
    lines.join('\n'),
    /^info checkpoint of run older was not fetched in time: forgotten$/m,
  );
  assert.equal(readdirSync(inside).length, 1);
  await next.close();
  await spool.close();
});

test('[LINK-06] a run that wrote more than can be kept of it is offered, and pruned, by what lies there', async (t) => {
  const { open, folder } = place(t);
  const spool = await open();
  spool.begin(run);
  const operations = [statsOf({ service: new Uint8Array(4 * 2 ** 20) })];
  for (let second = 0; second < 20; second++) {
    spool.add({ kind: 'interval', ...anIntervalOf({ first: second, operations }) });
    // It is written when the first of it can be read.
    const reading = spool.read(key);
    await reading.next();
    await reading.return(undefined);
  }
  const written = spool.metrics.checkpointBytes;
  await spool.end(false);
  const files = filesBelow(folder).map((name) => path.join(folder, name));
  const size = files.reduce((sum, file) => sum + statSync(file).size, 0);
  assert.ok(size < written, `${String(size)} of ${String(written)}`);
  assert.equal(spool.offers[0]?.bytes, size);
  await spool.close();
});

test('[LINK-12] what a run has in the spool is counted, and how often it came to be on the disk', async (t) => {
  const { open, folder, clock } = place(t);
  const spool = await open();
  assert.deepEqual(spool.metrics, { checkpoints: 0, checkpointBytes: 0 });
  spool.begin(run);
  spool.add(interval(0));
  await read(spool);
  const [name = ''] = filesBelow(folder);
  assert.equal(spool.metrics.checkpointBytes, statSync(path.join(folder, name)).size);
  spool.checkpoint();
  await eventually('a flush', 10_000, () => spool.metrics.checkpoints || undefined);
  spool.add(interval(1));
  await read(spool);
  clock.advance(5000);
  await eventually('five seconds later', 10_000, () => spool.metrics.checkpoints > 1 || undefined);
  await spool.close();
});

test('[LINK-06] what an agent that leaves in the middle of a run has reported is whole, and offered by the next one', async (t) => {
  const { open, clock } = place(t);
  const spool = await open();
  spool.begin(run);
  for (let second = 0; second < 3; second++) spool.add(interval(second));
  await spool.close();
  const next = await open('two');
  assert.deepEqual((await read(next)).messages, [0, 1, 2].map(interval));
  await next.close();
  assert.equal(clock.armed, 0);
});

test('an agent that cannot serve takes back the folder that it made, and no other', async (t) => {
  const { open, folder, clock } = place(t);
  await (await open()).discard();
  assert.deepEqual(readdirSync(folder), [], 'made for nothing');
  mkdirSync(path.join(folder, 'spool'), { mode: 0o700 });
  await (await open()).discard();
  assert.deepEqual(
    readdirSync(folder),
    ['spool'],
    'it may be that of the agent which has the port',
  );
  const kept = await open();
  kept.begin(run);
  kept.add(interval(0));
  await kept.end(false);
  assert.equal(clock.armed, 1, 'until it is forgotten');
  await kept.discard();
  assert.equal(clock.armed, 0);
  assert.equal(filesBelow(folder).length, 1);
});

test('another run owns the agent while the spool of the old one can be read', async (t) => {
  const { open } = place(t);
  const spool = await open();
  spool.begin(run);
  spool.add(interval(7));
  await spool.end(false);
  spool.begin({ ...run, runId: 'run-2', secret: 'other' });
  spool.add(interval(1));
  assert.deepEqual((await read(spool)).messages, [interval(7)]);
  assert.deepEqual(
    spool.offers.map(({ runId }) => runId),
    ['run-1'],
  );
  await spool.close();
});

test('progress and heartbeats are kept once in five seconds, probes and logs never', async (t) => {
  const { open, clock } = place(t);
  const spool = await open();
  spool.begin(run);
  for (let second = 0; second < 11; second++) {
    spool.add(aHeartbeat);
    spool.add({ kind: 'log', level: 'info', line: 'x' });
    clock.advance(1000);
  }
  const kinds = (await read(spool)).messages.map(({ kind }) => kind);
  assert.deepEqual(kinds, ['heartbeat', 'heartbeat', 'heartbeat']);
  await spool.close();
});

test('a full row of files drops the oldest, and keeps the results of stages', async (t) => {
  const { folder } = place(t);
  const failures: unknown[] = [];
  const writer = new SpoolWriter({
    folder,
    uid,
    header: { schema: 1, runId: 'r', identity: '', instanceId: 'i', secretSha256: '' },
    clock: new ManualClock(),
    onFailure: (thrown) => failures.push(thrown),
    fileBytes: 1000,
  });
  writer.add(Buffer.from('result'), true);
  for (let number = 0; number < 100; number++) {
    writer.add(Buffer.alloc(300, number), false);
    await writer.written();
  }
  await writer.close();
  assert.deepEqual(failures, []);
  assert.equal(readdirSync(folder).length, 4);
  const contents: string[] = [];
  for await (const { payloads } of readSpool(writer.files)) {
    contents.push(...payloads.map((one) => Buffer.from(one).toString()));
  }
  assert.ok(contents.includes('result'));
  assert.equal(contents.at(-1)?.charCodeAt(0), 99);
});

test('[STAT-02] a spool that cannot be made is said once at the start and for each run, and nothing else happens', async (t) => {
  const { open, folder, lines, failures } = place(t);
  const file = path.join(folder, 'file');
  writeFileSync(file, '');
  const spool = await open('one', path.join(file, 'spool'));
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /^warn No spool is written \(.*file\/spool: not a directory/);
  spool.begin(run);
  spool.add(interval(0));
  await spool.end(false);
  assert.equal(failures.length, 1);
  assert.match(failures[0] ?? '', /No spool is written/);
  await spool.close();
});

test('a folder that others could have prepared is not used', async (t) => {
  const { open, folder, lines } = place(t);
  mkdirSync(path.join(folder, 'real'));
  symlinkSync(path.join(folder, 'real'), path.join(folder, 'link'));
  await open('one', path.join(folder, 'link'));
  assert.match(lines[0] ?? '', /link: it is not a folder/);
  const wide = path.join(folder, 'wide');
  mkdirSync(wide);
  chmodSync(wide, 0o777);
  const spool = await open('one', wide);
  assert.equal(statSync(wide).mode & 0o777, 0o700);
  await spool.close();
});

test('[LINK-06] a spool folder that somebody has removed is made again for the next run', async (t) => {
  const { open, folder, failures } = place(t);
  const spool = await open();
  rmSync(path.join(folder, 'spool'), { recursive: true });
  spool.begin(run);
  spool.add(interval(0));
  assert.deepEqual((await read(spool)).messages, [interval(0)]);
  assert.deepEqual(failures, []);
  await spool.close();
});

test('[STAT-02] a spool that is found missing when its run has ended is no failure of the next run', async (t) => {
  const { open, folder, failures, lines } = place(t);
  const spool = await open();
  spool.begin(run);
  spool.add(interval(0));
  await read(spool);
  rmSync(path.join(folder, 'spool'), { recursive: true });
  const ended = spool.end(true);
  spool.begin({ ...run, runId: 'run-2' });
  await ended;
  await spool.close();
  assert.deepEqual(failures, []);
  assert.deepEqual(lines, [], 'what is gone need not be removed');
});

test('[STAT-02] a spool file that cannot be removed, or read, is told of and left alone: the runs go on', async (t) => {
  const { open, folder, failures, lines } = place(t);
  const spool = await open();
  spool.begin(run);
  spool.add(interval(0));
  await read(spool);
  const [name = ''] = filesBelow(folder);
  const file = path.join(folder, name);
  // Who may do everything can still not unlink a folder.
  rmSync(file);
  mkdirSync(file);
  await spool.end(true);
  assert.match(lines.join('\n'), /^warn cannot remove the checkpoint of run run-1: [^\n]+$/);
  assert.deepEqual(spool.offers, []);
  const next = await open('two');
  assert.match(
    lines.at(-1) ?? '',
    /^warn a checkpoint cannot be read and is left alone: .*\.spool: /,
  );
  next.begin({ ...run, runId: 'run-2' });
  next.add(interval(0));
  const mine = { ...key, runId: 'run-2', instanceId: 'two' };
  assert.deepEqual((await read(next, mine)).messages, [interval(0)]);
  await next.close();
  await spool.close();
  assert.deepEqual(failures, []);
});

test('[LINK-06] [STAT-02] a spool that is removed in the middle of a run is missed, and said to be', async (t) => {
  const { open, folder, failures, clock } = place(t);
  const spool = await open();
  spool.begin(run);
  spool.add(interval(0));
  await read(spool);
  rmSync(path.join(folder, 'spool'), { recursive: true });
  clock.advance(5000);
  const failure = await eventually('it is missed', 10_000, () => failures[0]);
  assert.match(failure, /^No spool is written \(.*: its file was removed\)/);
  await spool.close();
  assert.equal(failures.length, 1);
});

test('a run id from the network does not lead out of the folder', async (t) => {
  const { open, folder } = place(t);
  const spool = await open();
  const runId = '../../../etc/passwd';
  spool.begin({ ...run, runId });
  spool.add(interval(0));
  assert.equal((await read(spool, { ...key, runId })).messages.length, 1);
  assert.deepEqual(filesBelow(folder), ['spool/_________etc_passwd.one.000000.spool']);
  await spool.close();
});

test('by default the spool is in the folder for running programs', () => {
  const [first, second] = defaultSpoolFolders({ XDG_RUNTIME_DIR: '/run/user/7' }, 7, 'agent-7761');
  assert.equal(first, '/run/user/7/muster/agent-7761');
  assert.match(second ?? '', /muster-7-agent-7761$/);
  assert.equal(defaultSpoolFolders({}, 0, 'agent-1')[0], '/run/muster/agent-1');
});

test('[RPC-10] an end that is under way when the agent leaves holds nothing up afterwards', async (t) => {
  const { open, clock } = place(t);
  const spool = await open();
  spool.begin(run);
  spool.add(interval(0));
  const ended = spool.end(false);
  await spool.close();
  await ended;
  assert.equal(clock.armed, 0, 'no timer keeps the process alive for an hour');
  assert.equal((await open('two')).offers.length, 1, 'what is kept stays');
});

test('[LINK-06] a spool without a head, of an agent that was killed on a full disk, is gone an hour later; what is none of ours stays', async (t) => {
  const { open, folder } = place(t);
  const inside = path.join(folder, 'spool');
  mkdirSync(inside);
  const longAgo = (Date.now() - hourMs - 1000) / 1000;
  for (const name of ['run-1.dead.000000.spool', 'run-2.torn.000000.spool', 'my own.spool']) {
    writeFileSync(path.join(inside, name), name.includes('torn') ? 'MSR1' : '');
    utimesSync(path.join(inside, name), longAgo, longAgo);
  }
  writeFileSync(path.join(inside, 'run-3.young.000000.spool'), '');
  const spool = await open();
  assert.deepEqual(spool.offers, []);
  assert.deepEqual(filesBelow(folder), ['spool/my own.spool', 'spool/run-3.young.000000.spool']);
  await spool.close();
});

test('[LINK-06] an agent does not forget what another one with the same spool folder is still writing', async (t) => {
  const { open, folder, clock } = place(t);
  const writing = await open();
  writing.begin(run);
  writing.add(interval(0));
  await read(writing);
  const files = filesBelow(folder).map((name) => path.join(folder, name));
  const longAgo = (Date.now() - hourMs + 1000) / 1000;
  for (const file of files) utimesSync(file, longAgo, longAgo);
  const other = await open('two');
  assert.equal(other.offers.length, 1);
  writing.add(interval(1));
  await read(writing);
  // An hour has passed since that other agent found it, and a second since it was written to.
  t.mock.method(clock, 'unixMs', () => Date.now() + 2000);
  clock.advance(hourMs);
  other.begin({ ...run, runId: 'run-2' });
  await other.end(false);
  assert.deepEqual((await read(writing)).messages, [interval(0), interval(1)]);
  await writing.close();
  await other.close();
});
