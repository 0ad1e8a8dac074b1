import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { JournalRecord } from '../../../../src/controller/core/records.js';
import { encodeRecord } from '../../../../src/controller/shell/journal-codec.js';
import { recoverRun } from '../../../../src/controller/shell/recover-run.js';
import type { Clock } from '../../../../src/shared/kernel/clock.js';
import { systemClock } from '../../../../src/shared/kernel/system-clock.js';
import type { HelloReply } from '../../../../src/shared/model/messages.js';
import {
  handshakeFrame,
  readHandshakeFrame,
} from '../../../../src/shared/wire/handshake-frames.js';
import { encodeHelloReply } from '../../../../src/shared/wire/hello-frames.js';
import { EventLog } from '../../../support/event-log.js';
import { startRawServer } from '../../../support/raw-server.js';
import { helloReply } from '../../../support/wire-pair.js';
import { planOf, runRecord, stagePlan } from '../../../support/recorded-run.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const facts = { version: '0', hostname: 'h', instanceId: 'i', bootId: 'b', host: {} };

test('[CONF-03] [RUN-10] recover gives an agent up after the timeouts of its run: connect, and hello; it names each that it has nothing of', async (t) => {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const mute = createServer((socket) => t.after(() => socket.destroy()));
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.after(() => mute.close());
  const wordless = await startRawServer(t, { hello: () => undefined });
  const ports = [(mute.address() as AddressInfo).port, wordless];
  const plan = planOf(3, [stagePlan(0)]);
  const agents = plan.agents.map((agent, i) => ({
    ...agent,
    address: `127.0.0.1:${String(ports[i] ?? 1)}`,
  }));
  const timeouts = { ...plan.timeouts, connectMs: 1234, helloMs: 1321 };
  const records: JournalRecord[] = [
    { ...runRecord({ ...plan, agents, timeouts }), atMs: 0 },
    { type: 'agent', agent: 0, facts, atMs: 1 },
    { type: 'agent', agent: 1, facts, atMs: 1 },
  ];
  const journal = join(folder.path, 'journal.ndjson');
  writeFileSync(journal, records.map((record) => `${encodeRecord(record)}\n`).join(''));
  const secret = { runId: 'run-1', secret: 's', host: hostname(), pid: 0 };
  writeFileSync(join(folder.path, 'run.secret'), JSON.stringify(secret));

  const waits: number[] = [];
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, fire) => {
      waits.push(delayMs);
      return systemClock.after(delayMs, fire);
    },
  };
  const said: string[] = [];
  await recoverRun({
    ...{ folder: folder.path, clock, accessFor: () => Promise.resolve({}) },
    say: (_, line) => said.push(line),
  });
  assert.equal(waits.filter((ms) => ms === 1234).length, 3, 'each is connected to for so long');
  assert.equal(waits.filter((ms) => ms === 1321).length, 1, 'one is asked who it is');
  assert.match(said.join('\n'), /agent-1: its checkpoint cannot be fetched: no answer/);
  assert.match(said.join('\n'), /agent-2: its checkpoint cannot be fetched: .*within 1\.321s/);
  assert.match(said.join('\n'), /^Agent agent-3: the run had not reached it$/m);
  assert.match(readFileSync(journal, 'utf8'), /recovered from 0 of 3 agents/);
});

test('[RUN-10] recover from another host leaves a run alone whose agents hear its controller, although its journal stands still: its disk may be full', async (t) => {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const owner = { runId: 'run-1', identity: 'ann@ctl', sinceUnixMs: 1 };
  const replies: HelloReply[] = [
    { ...helloReply, owner, ownerSpeaks: true },
    { ...helloReply, owner: { ...owner, runId: 'run-2' }, ownerSpeaks: true },
    { ...helloReply, owner, ownerSpeaks: true },
  ];
  const ports = await Promise.all(
    replies.map((_, index) =>
      startRawServer(t, {
        hello: (answer) => {
          answer(null, encodeHelloReply(replies[index] ?? helloReply));
        },
        session: (call) => {
          call.end();
        },
      }),
    ),
  );
  const plan = planOf(3, [stagePlan(0)]);
  const agents = plan.agents.map((agent, i) => ({
    ...agent,
    address: `127.0.0.1:${String(ports[i] ?? 1)}`,
  }));
  const journal = join(folder.path, 'journal.ndjson');
  const before = `${encodeRecord({ ...runRecord({ ...plan, agents }), atMs: 0 })}\n`;
  writeFileSync(journal, before);
  // The number is that of a process that lives, but here.
  const secret = { runId: 'run-1', secret: 's', host: 'elsewhere', pid: process.pid };
  writeFileSync(join(folder.path, 'run.secret'), JSON.stringify(secret));
  // What it waits for the journal to move passes at once.
  const clock: Clock = {
    ...systemClock,
    after: (delayMs, fire) => systemClock.after(delayMs === 500 ? 0 : delayMs, fire),
  };
  const recover = (): Promise<void> =>
    recoverRun({
      ...{ folder: folder.path, clock, accessFor: () => Promise.resolve({}) },
      say: () => undefined,
    });
  const goesOn = (by: string) => ({
    exitCode: 2,
    message: `The run in ${folder.path} goes on: its controller is connected to ${by}`,
  });
  await assert.rejects(recover, goesOn('agent-1 and 1 more'));
  replies[0] = { ...helloReply, owner, ownerSpeaks: false };
  await assert.rejects(recover, goesOn('agent-3'));
  assert.equal(readFileSync(journal, 'utf8'), before);
  replies[2] = helloReply;
  await recover();
  assert.match(readFileSync(journal, 'utf8'), /recovered from 0 of 3 agents/);
});

test('[RUN-10] recover asks no embedded agent: it ended with the controller and keeps nothing, so there is nothing to come back for', async (t) => {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const plan = planOf(2, [stagePlan(0)]);
  const agents = plan.agents.map((agent) => ({ ...agent, isEmbedded: true as const }));
  const records: JournalRecord[] = [
    { ...runRecord({ ...plan, agents }), atMs: 0 },
    { type: 'agent', agent: 0, facts, atMs: 1 },
    { type: 'agent', agent: 1, facts, atMs: 1 },
  ];
  const journal = join(folder.path, 'journal.ndjson');
  writeFileSync(journal, records.map((record) => `${encodeRecord(record)}\n`).join(''));
  const secret = join(folder.path, 'run.secret');
  writeFileSync(secret, JSON.stringify({ runId: 'run-1', secret: 's', host: hostname(), pid: 0 }));
  const said: string[] = [];
  await recoverRun({
    ...{ folder: folder.path, clock: systemClock, accessFor: () => Promise.resolve({}) },
    say: (_, line) => said.push(line),
  });
  const text = said.join('\n');
  assert.match(
    text,
    /^Embedded agents end with their controller and keep nothing: none is asked$/m,
  );
  assert.doesNotMatch(text, /cannot be fetched|for an hour/);
  assert.ok(!existsSync(secret), 'nobody can be asked with it');
  const reasons = readFileSync(journal, 'utf8').match(
    /an embedded agent ends with its controller/g,
  );
  assert.equal(reasons?.length, 2);
});

test('[RUN-10] recover asks an agent that has the run, or has kept something of it, although the journal ends before it says so', async (t) => {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const owner = { runId: 'run-1', identity: 'ann@ctl', sinceUnixMs: 1 };
  const kept = {
    runId: 'run-1',
    identity: 'ann@ctl',
    instanceId: 'before',
    savedUnixMs: 1,
    bytes: 9,
  };
  const replies: HelloReply[] = [
    { ...helloReply, instanceId: 'owned', owner },
    { ...helloReply, instanceId: 'restarted', checkpoints: [{ ...kept, runId: 'run-0' }, kept] },
    { ...helloReply, owner: { ...owner, runId: 'run-2' } },
  ];
  const asked = new EventLog<string>();
  const servers = replies.map((reply) =>
    startRawServer(t, {
      hello: (answer) => {
        answer(null, encodeHelloReply(reply));
      },
      session: (call) => {
        call.once('data', (bytes: Buffer) => {
          const open = readHandshakeFrame(bytes, {
            ...({
              kinds: ['open'],
              sequence: 1n,
              direction: 'toAgent',
              signer: undefined,
            } as const),
          });
          asked.add(open.fetch ?? '');
          const refused = {
            kind: 'refused',
            code: 'secret',
            message: 'no',
            owner: undefined,
          } as const;
          call.write(handshakeFrame(refused, 1n, 'toController'));
        });
      },
    }),
  );
  const ports = await Promise.all(servers);
  const plan = planOf(3, [stagePlan(0)]);
  const agents = plan.agents.map((agent, i) => ({
    ...agent,
    address: `127.0.0.1:${String(ports[i] ?? 1)}`,
  }));
  const journal = join(folder.path, 'journal.ndjson');
  writeFileSync(journal, `${encodeRecord({ ...runRecord({ ...plan, agents }), atMs: 0 })}\n`);
  const secret = { runId: 'run-1', secret: 's', host: hostname(), pid: 0 };
  writeFileSync(join(folder.path, 'run.secret'), JSON.stringify(secret));
  const said: string[] = [];
  await recoverRun({
    ...{ folder: folder.path, clock: systemClock, accessFor: () => Promise.resolve({}) },
    say: (_, line) => said.push(line),
  });
  assert.deepEqual([...asked.all].sort(), ['before', 'owned']);
  const text = said.join('\n');
  assert.match(text, /^Agent agent-1: no checkpoint of this run \(no\)$/m);
  assert.match(text, /^Agent agent-3: the run had not reached it$/m);
  assert.doesNotMatch(text, /agent-[12]: the run had not reached it/);
});
