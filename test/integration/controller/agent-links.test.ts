import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { status } from '@grpc/grpc-js';
import type { DialFailure, RunInput } from '../../../src/controller/core/run-io.js';
import type { GrpcLinkOptions } from '../../../src/controller/shell/agent-link.js';
import type { FetchOutcome } from '../../../src/controller/shell/fetch-checkpoint.js';
import { GrpcLinks } from '../../../src/controller/shell/agent-links.js';
import type { AgentMessage, ControllerMessage } from '../../../src/shared/model/messages.js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { decodePayload, encodePayload } from '../../../src/shared/wire/codec.js';
import { decodeFrame, encodeFrame } from '../../../src/shared/wire/frame.js';
import type { Frame } from '../../../src/shared/wire/frame.js';
import { handshakeFrame } from '../../../src/shared/wire/handshake-frames.js';
import { encodeHelloReply } from '../../../src/shared/wire/hello-frames.js';
import { EventLog } from '../../support/event-log.js';
import { eventually } from '../../support/eventually.js';
import { planOf, smallConfig } from '../../support/example-plan.js';
import { ManualClock } from '../../support/manual-clock.js';
import { startRawServer } from '../../support/raw-server.js';
import type { RawAnswers } from '../../support/raw-server.js';
import { anIntervalOf } from '../../support/sample-messages.js';
import { helloReply, startWireAgent } from '../../support/wire-pair.js';

/** The links of a run with one agent, at that port, and what they tell the run. */
function linksTo(t: TestContext, port: number, more: Partial<GrpcLinkOptions> = {}) {
  const { plan } = planOf(smallConfig, { agentsOverride: [`127.0.0.1:${port}`] });
  const timeouts = { ...plan.timeouts, connectMs: 2000, helloMs: 2000 };
  const inputs = new EventLog<RunInput>();
  const notices = new EventLog<string>();
  const links = new GrpcLinks({
    plan: { ...plan, timeouts },
    ...{ runId: 'run-1', identity: 'test@here', secret: 'secret', steal: false, access: {} },
    clock: systemClock,
    feed: (input) => inputs.add(input),
    notice: (level, line) => notices.add(`${level} ${line}`),
    onBug: (bug) => assert.fail(String(bug)),
    ...more,
  });
  t.after(() => links.close());
  return { links, inputs, notices };
}

const welcome: Extract<AgentMessage, { kind: 'welcome' }> = {
  ...{ kind: 'welcome', nonce: new Uint8Array(), proof: new Uint8Array(), resumed: false },
  ...{ instanceId: 'i', bootId: 'b', version: '0', state: 'IDLE', received: 0n, host: '{}' },
};

/** An agent that writes these frames after the handshake. */
function writing(frames: readonly Buffer[]): RawAnswers {
  return {
    session: (call) => {
      let arrived = 0;
      call.on('data', () => {
        arrived += 1;
        if (arrived === 1) call.write(handshakeFrame(welcome, 1n, 'toController'));
        if (arrived === 2) for (const frame of frames) call.write(frame);
      });
    },
  };
}

function frame(sequence: bigint, payload: Uint8Array): Buffer {
  const numbers = { sequence, reliable: 0n, ack: 0n, seen: 0n, heard: 0n };
  const context = { direction: 'toController', session: 'run-1' } as const;
  return encodeFrame({ ...numbers, encoding: 'PLAIN', payload }, context);
}

/** Before the agent at that port: breaks the first connections as soon as anything comes over them. */
async function breaking(t: TestContext, port: number, count: number) {
  let connections = 0;
  const server = createServer((client) => {
    connections += 1;
    const isBroken = connections <= count;
    const agent = connect(port, '127.0.0.1');
    for (const [one, other] of [
      [client, agent],
      [agent, client],
    ] as const) {
      // That it breaks is what the test is about.
      one.on('error', () => undefined);
      one.on('close', () => other.destroy());
    }
    client.once('data', (first) => {
      if (isBroken) {
        // Not before the agent's greeting has made the connection count as one.
        agent.once('data', () => client.resetAndDestroy());
      }
      agent.write(first);
      client.pipe(agent);
    });
    agent.pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { port: (server.address() as AddressInfo).port, taken: () => connections };
}

for (const [title, generation, expected] of [
  [
    '[RUN-01] one connection that breaks while an agent is asked who it is fails no run',
    1,
    'dialed',
  ],
  [
    '[LINK-01] later on a broken dial is one: how often it is tried again is for the back-off to say',
    2,
    'dialFailed',
  ],
] as const) {
  test(title, async (t) => {
    const agent = await startWireAgent();
    t.after(() => agent.server.close(0));
    const broken = await breaking(t, agent.server.port, 1);
    const { links, inputs } = linksTo(t, broken.port);
    links.dial(0, generation, []);
    const { kind } = await inputs.until(({ kind }) => kind === 'dialed' || kind === 'dialFailed');
    assert.equal(kind, expected);
    assert.equal(broken.taken() > 1, expected === 'dialed');
  });
}

test('[PERF-07] [LINK-11] a controller says in Open what it reads: many intervals in a frame, a heartbeat beside them', async (t) => {
  const opens = new EventLog<ControllerMessage>();
  const port = await startRawServer(t, {
    session: (call) => {
      call.once('data', (bytes: Buffer) => {
        const open = decodeFrame(bytes, { direction: 'toAgent', session: '' });
        opens.add(decodePayload(open.payload) as ControllerMessage);
        call.end();
      });
    },
  });
  const { links } = linksTo(t, port);
  links.dial(0, 1, []);
  const open = await opens.until(({ kind }) => kind === 'open');
  assert.ok(open.kind === 'open');
  assert.deepEqual([open.intervalsPerFrame, open.takesBeside], [8, true]);
});

test('[CONF-03] an agent whose sessions all break is dialled again for timeouts.connect, no longer', async (t) => {
  let sessions = 0;
  const port = await startRawServer(t, {
    session: (call) => {
      sessions += 1;
      call.end();
    },
  });
  const clock = new ManualClock();
  const { links, inputs } = linksTo(t, port, { clock });
  const startMs = clock.nowMs();
  const failed = inputs.until(({ kind }) => kind === 'dialFailed').then(() => true);
  links.dial(0, 1, []);
  await eventually('given up', 60_000, async () => {
    const isOver = await Promise.race([failed, Promise.resolve(undefined)]);
    if (isOver === undefined) clock.advance(100);
    return isOver;
  });
  assert.ok(sessions > 1, 'dialled again');
  const tookMs = clock.nowMs() - startMs;
  assert.ok(tookMs <= 2000 + 2000, `${tookMs} ms`);
});

test('[RUN-01] a session that is ended before it is open fails no run either', async (t) => {
  let sessions = 0;
  const once = writing([]);
  const port = await startRawServer(t, {
    session: (call) => {
      sessions += 1;
      if (sessions === 1) call.end();
      else once.session?.(call);
    },
  });
  const { links, inputs } = linksTo(t, port);
  links.dial(0, 1, []);
  const { kind } = await inputs.until(({ kind }) => kind === 'dialed' || kind === 'dialFailed');
  assert.equal(kind, 'dialed');
  assert.equal(sessions, 2);
});

test('[RUN-01] a connection that broke while this process slept longer than there was time to connect fails no run', async (t) => {
  const clock = new ManualClock();
  let asked = 0;
  const port = await startRawServer(t, {
    hello: (answer) => {
      asked += 1;
      if (asked > 1) answer(null, encodeHelloReply(helloReply));
      else {
        clock.sleep(8000);
        answer({ code: status.UNAVAILABLE, details: 'read ECONNRESET' });
      }
    },
    ...writing([]),
  });
  const { links, inputs } = linksTo(t, port, { clock });
  links.dial(0, 1, []);
  await eventually('the pause before the next attempt', 10_000, () =>
    asked === 1 && clock.armed === 1 ? true : undefined,
  );
  const isOver = ({ kind }: RunInput): boolean => kind === 'dialed' || kind === 'dialFailed';
  const over = inputs.until(isOver);
  await eventually('the next attempt', 10_000, () => {
    clock.advance(200);
    return inputs.all.some(isOver) ? true : undefined;
  });
  assert.equal((await over).kind, 'dialed');
});

for (const [title, rivalId, state, expected, generation = 1] of [
  [
    '[RUN-01] of two runs that are started at the same moment the one with the higher id dials again until the other one is gone',
    'run-0',
    'IDLE',
    'dialed',
  ],
  [
    '[RUN-01] of two runs that are started at the same moment the one with the lower id is refused at once',
    'run-2',
    'IDLE',
    'dialFailed',
  ],
  [
    '[RUN-01] a run that has begun to prepare is not waited for, whatever its id',
    'run-0',
    'READY',
    'dialFailed',
  ],
  [
    '[RUN-01] the other one is waited for as well when its Confirm was there first',
    'run-0',
    'IDLE',
    'dialed',
    2,
  ],
] as const) {
  test(title, async (t) => {
    let sessions = 0;
    const owner = { runId: rivalId, identity: 'other@there', sinceUnixMs: 1 };
    const refused: AgentMessage = { kind: 'refused', code: 'busy', message: 'busy', owner };
    const port = await startRawServer(t, {
      hello: (answer) => {
        answer(null, encodeHelloReply({ ...helloReply, state, owner }));
      },
      session: (call) => {
        sessions += 1;
        const answer = sessions === 1 ? refused : welcome;
        call.once('data', () => call.write(handshakeFrame(answer, 1n, 'toController')));
      },
    });
    const { links, inputs } = linksTo(t, port);
    links.dial(0, generation, []);
    const { kind } = await inputs.until(({ kind }) => kind === 'dialed' || kind === 'dialFailed');
    assert.deepEqual([kind, sessions], [expected, expected === 'dialed' ? 2 : 1]);
  });
}

test('[RUN-01] a run that was started at the same moment is waited for as long as it may take to connect', async (t) => {
  const clock = new ManualClock();
  const owner = { runId: 'run-0', identity: 'other@there', sinceUnixMs: 1 };
  const refused: AgentMessage = { kind: 'refused', code: 'busy', message: 'busy', owner };
  const startMs = clock.nowMs();
  const refusals: number[] = [];
  const port = await startRawServer(t, {
    hello: (answer) => {
      // A slow link: there is no time left to connect when the first refusal comes.
      if (refusals.length === 0) clock.sleep(1900);
      answer(null, encodeHelloReply({ ...helloReply, owner }));
    },
    session: (call) => {
      refusals.push(clock.nowMs() - startMs);
      call.once('data', () => call.write(handshakeFrame(refused, 1n, 'toController')));
    },
  });
  const { links, inputs } = linksTo(t, port, { clock });
  const failed = inputs.until(({ kind }) => kind === 'dialFailed').then(() => true);
  links.dial(0, 1, []);
  await eventually('given up', 60_000, async () => {
    const isOver = await Promise.race([failed, Promise.resolve(undefined)]);
    if (isOver === undefined && clock.armed > 0) clock.advance(50);
    return isOver;
  });
  const last = refusals.at(-1) ?? 0;
  assert.ok(last > 3000 && last <= 1900 + 2000, refusals.join());
});

test('[LINK-02] the late end of an old stream does not hang up the one that replaced it', async (t) => {
  const agent = await startWireAgent();
  t.after(() => agent.server.close(0));
  const { links, inputs } = linksTo(t, agent.server.port);
  links.dial(0, 1, []);
  const first = await agent.sessions.until(() => true);
  await inputs.until((input) => input.kind === 'dialed' && input.generation === 1);
  links.dial(0, 2, []);
  const second = await agent.sessions.until((session) => session !== first);
  await inputs.until((input) => input.kind === 'dialed' && input.generation === 2);

  first.duplex.cancel('at last');
  await inputs.until((input) => input.kind === 'linkLost' && input.generation === 1);
  links.send(0, { kind: 'ping', id: 1 });
  await second.events.until((event) => event.kind === 'message');
  second.duplex.send({ kind: 'ready', stage: 0 });
  await inputs.until((input) => input.kind === 'message' && input.generation === 2);
  assert.equal(links.metrics(0).streams, 2);
});

test('[RUN-08] [RPC-05] what is wrong with an agent’s frames is told with its name; a hundred bad ones end the stream', async (t) => {
  const ping = encodePayload({ kind: 'ping', id: 1 });
  const unknownKind = Uint8Array.of(0x80, 0x7d, 0x01);
  const junk = Array.from({ length: 100 }, () => Buffer.from('junk'));
  const frames = [frame(5n, ping), frame(6n, unknownKind), ...junk];
  const { links, inputs, notices } = linksTo(t, await startRawServer(t, writing(frames)));
  links.dial(0, 1, []);
  await inputs.until(({ kind }) => kind === 'linkLost');
  assert.deepEqual(notices.all, [
    'warn Agent agent-1: frames 2 to 4 did not arrive (asking again for what matters)',
    'warn Agent agent-1: ignoring a message of unknown kind 2000 (sequence 6): a newer agent?',
    'warn Agent agent-1: 100 invalid messages in a row, opening a new stream',
  ]);
  const invalid = inputs.all.filter(({ kind }) => kind === 'invalid');
  assert.equal(invalid.length, 100);
  assert.deepEqual(
    inputs.all.filter(({ kind }) => kind === 'message').map(({ kind }) => kind),
    ['message'],
  );
});

test('[RPC-06] [PERF-07] an agent has a lease in place of a frame that only acknowledges, and none shortly before and after it', async (t) => {
  const heard = new EventLog<Frame>();
  let report = (): void => assert.fail('no session');
  const port = await startRawServer(t, {
    session: (call) => {
      let arrived = 0;
      const interval = encodePayload({ kind: 'interval', ...anIntervalOf({ first: 0 }) });
      report = () => call.write(frame(2n, interval));
      call.on('data', (bytes: Buffer) => {
        arrived += 1;
        if (arrived === 1) call.write(handshakeFrame(welcome, 1n, 'toController'));
        if (arrived <= 2) return;
        heard.add(decodeFrame(bytes, { direction: 'toAgent', session: 'run-1' }));
      });
    },
  });
  const clock = new ManualClock();
  const { links, inputs } = linksTo(t, port, { clock });
  links.dial(0, 1, []);
  await inputs.until(({ kind }) => kind === 'dialed');
  links.send(0, { kind: 'lease', count: 1 });
  await heard.count(() => true, 1);
  clock.advance(600);
  report();
  await inputs.until(({ kind }) => kind === 'message');
  clock.advance(400);
  links.send(0, { kind: 'lease', count: 2 });
  clock.advance(700);
  await heard.until(({ seen }) => seen === 2n);
  clock.advance(300);
  links.send(0, { kind: 'lease', count: 3 });
  links.send(0, { kind: 'ping', id: 5 });
  await heard.count(() => true, 3);
  assert.deepEqual(
    heard.all.map(({ payload }) => decodePayload(payload)),
    [
      { kind: 'lease', count: 1 },
      { kind: 'lease', count: 2 },
      { kind: 'ping', id: 5 },
    ],
  );
});

test('[STAT-06] what cannot be sent to an agent is told with its name', async (t) => {
  const readsNoMore: RawAnswers = {
    session: (call) => {
      let arrived = 0;
      call.on('data', () => {
        arrived += 1;
        if (arrived === 1) call.write(handshakeFrame(welcome, 1n, 'toController'));
        if (arrived === 2) call.pause();
      });
    },
  };
  const { links, inputs, notices } = linksTo(t, await startRawServer(t, readsNoMore));
  links.dial(0, 1, []);
  await inputs.until(({ kind }) => kind === 'dialed');
  const noise = randomBytes(2 ** 13).toString('base64');
  for (let i = 0; i < 500; i += 1) links.send(0, { kind: 'abort', reason: noise });
  const line = await notices.until((line) => line.startsWith('error'));
  assert.equal(line, 'error Agent agent-1: Failed to send abort after retries');
  links.cut();
});

test('[RUN-01] whatever keeps a dial from an agent is told to the run in its own words', async (t) => {
  const stranger = { ...helloReply, product: 'mustard' };
  const cases: readonly (readonly [RawAnswers, DialFailure, RegExp])[] = [
    [{ session: (call) => call.end() }, 'network', /the agent ended the stream/],
    [{ session: () => undefined }, 'timeout', /did not answer Open within 2s/],
    [
      {
        hello: (answer) => {
          answer(null, encodeHelloReply(stranger));
        },
      },
      ...(['notMuster', /it says it is "mustard"/] as const),
    ],
  ];
  for (const [answers, code, message] of cases) {
    const { links, inputs } = linksTo(t, await startRawServer(t, answers));
    links.dial(0, 1, []);
    const failed = await inputs.until((input) => input.kind === 'dialFailed');
    assert.equal(failed.code, code);
    assert.match(failed.message, message);
  }
});

test('[CONF-03] a host that takes the connection and says nothing is given up after timeouts.connect', async (t) => {
  const mute = createServer((socket) => t.after(() => socket.destroy()));
  mute.listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.after(() => mute.close());
  const address = mute.address();
  assert.ok(typeof address === 'object' && address !== null);
  const clock = new ManualClock();
  const { links, inputs } = linksTo(t, address.port, { clock });
  links.dial(0, 1, []);
  clock.advance(1999);
  assert.equal(clock.armed, 1);
  clock.advance(1);
  assert.equal(clock.armed, 0, 'its deadline is the one of the plan');
  const failed = await inputs.until((input) => input.kind === 'dialFailed');
  assert.match(failed.message, /^no answer /);
});

test('[RUN-09] a dial that is hung up, or cut with all others, ends without a word to the run', async (t) => {
  const reached = new EventLog<string>();
  const answers: RawAnswers = {
    session: () => {
      reached.add('Open');
    },
  };
  const { links, inputs } = linksTo(t, await startRawServer(t, answers));
  links.dial(0, 1, []);
  await reached.count(() => true, 1);
  links.hangUp(0, 1, 'not any more');
  links.dial(0, 2, []);
  await reached.count(() => true, 2);
  links.cut();
  await links.close();
  assert.deepEqual(inputs.all, []);
});

test('[RUN-06] who is there is asked on a connection of its own, and told whether or not somebody answers', async (t) => {
  const there = linksTo(t, await startRawServer(t, {}));
  there.links.helloProbe(0);
  const answer = await there.inputs.until((input) => input.kind === 'helloResult');
  assert.deepEqual(answer.hello, helloReply);
  const mute = linksTo(t, await startRawServer(t, { hello: () => undefined }));
  mute.links.helloProbe(0);
  const none = await mute.inputs.until((input) => input.kind === 'helloResult');
  assert.equal(none.hello, undefined);
  assert.match(
    mute.notices.all[0] ?? '',
    /^debug Agent agent-1: Hello failed: .*no answer to Hello/,
  );
});

test('[RUN-18] an agent is told with the goodbye to keep what it reported, when the journal takes no more', async (t) => {
  const agent = await startWireAgent();
  t.after(() => agent.server.close(0));
  for (const [mustKeep, keep] of [
    [undefined, false],
    [() => false, false],
    [() => true, true],
  ] as const) {
    const seen = agent.sessions.all.length;
    const { links, inputs } = linksTo(t, agent.server.port, {
      runId: `run-${String(seen)}`,
      ...(mustKeep && { mustKeep }),
    });
    links.dial(0, 1, []);
    await inputs.until((input) => input.kind === 'dialed');
    const far = await agent.sessions.until((one) => agent.sessions.all.indexOf(one) === seen);
    links.send(0, { kind: 'goodbye', reason: 'done' });
    const told = await far.events.until(
      (event) => event.kind === 'message' && event.message.kind === 'goodbye',
    );
    assert.ok(told.kind === 'message' && told.message.kind === 'goodbye');
    assert.equal(told.message.keep === true, keep);
  }
});

test('[LINK-06] what an agent kept is fetched message by message, and the agent may forget it only when that is safe', async (t) => {
  const agent = await startWireAgent();
  t.after(() => agent.server.close(0));
  const kept: AgentMessage[] = [];
  const ends = new EventLog<FetchOutcome>();
  const safes = new EventLog<() => void>();
  const { links } = linksTo(t, agent.server.port, {
    whenSafe: (safe) => safes.add(safe),
    kept: (_, message) => kept.push(message),
    fetched: (_, outcome) => ends.add(outcome),
  });
  links.fetch(0, 'instance-0');
  const far = await agent.sessions.until(() => true);
  const heard = (kind: string) =>
    far.events.until((event) => event.kind === 'message' && event.message.kind === kind);
  await heard('fetch');
  const ready = { kind: 'ready', stage: 0 } as const;
  const payloads = [encodePayload(ready), Buffer.from('junk')];
  far.duplex.send({ kind: 'checkpoint', payloads, last: true, damaged: 2 });
  await safes.until(() => kept.length > 0);
  assert.deepEqual(kept, [ready]);
  assert.equal(far.endpoint.unacked().reliable, 1, 'not acknowledged yet');
  assert.ok(!far.events.all.some((e) => e.kind === 'message' && e.message.kind === 'fetched'));
  let run = 0;
  const answer = (): void => {
    for (; run < safes.all.length; run += 1) safes.all[run]?.();
  };
  answer();
  await heard('fetched');
  far.duplex.close('fetched');
  const outcome = await ends.until(() => true);
  assert.deepEqual(outcome, { kind: 'fetched', damaged: 3, isWhole: false });
});

/** From an agent that says nothing. */
async function silentFetch(t: TestContext) {
  const agent = await startWireAgent();
  t.after(() => agent.server.close(0));
  const ends = new EventLog<FetchOutcome>();
  const { links } = linksTo(t, agent.server.port, {
    whenSafe: (safe) => {
      safe();
    },
    kept: () => undefined,
    fetched: (_, outcome) => ends.add(outcome),
  });
  links.fetch(0, 'instance-0');
  await agent.sessions.until(() => true);
  return { links, ends };
}

test('[LINK-06] a fetch is cut with the links, and says that it failed', async (t) => {
  const { links, ends } = await silentFetch(t);
  links.cut();
  assert.deepEqual(await ends.until(() => true), { kind: 'failed', reason: 'cancelled' });
});

test('[RUN-09] [LINK-06] a fetch does not hold up the end of an interrupted run: it has its time, and says that it failed', async (t) => {
  const { links, ends } = await silentFetch(t);
  // Without a limit it is waited for for a quarter of a minute.
  await links.close(100);
  assert.deepEqual(ends.all, [{ kind: 'failed', reason: 'cancelled' }]);
});
