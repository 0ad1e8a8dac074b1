import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { AgentMessage } from '../../../../src/shared/model/messages.js';
import { encodeBeside, encodePayload } from '../../../../src/shared/wire/codec.js';
import { decodeFrame, encodeFrame } from '../../../../src/shared/wire/frame.js';
import type { Frame } from '../../../../src/shared/wire/frame.js';
import { agentEndpoint, controllerEndpoint } from '../../../../src/shared/wire/link-endpoint.js';
import { concatenate, LossyPipe, messagesIn } from '../../../support/lossy-pipe.js';
import type { Fate } from '../../../support/lossy-pipe.js';
import { aHeartbeat, anIntervalOf, noiseText, statsOf } from '../../../support/sample-messages.js';

const options = { session: 'run-1', mergeHistograms: concatenate };

/** A frame from the controller to the agent, for the agent's side to receive. */
function frameToAgent(sequence: bigint, fields: Partial<Frame> = {}): Buffer {
  return encodeFrame(
    {
      ...{ sequence, reliable: 0n, ack: 0n, seen: 0n, heard: 0n, encoding: 'PLAIN' },
      payload: encodePayload({ kind: 'ping', id: 7 }),
      ...fields,
    },
    { direction: 'toAgent', session: options.session },
  );
}

/** Reliable, numbered like the frames after the handshake. */
function goToAgent(sequence: bigint): Buffer {
  const payload = encodePayload({ kind: 'go', stage: 0, epoch: 1 });
  return frameToAgent(sequence, { reliable: sequence - 2n, payload });
}

function attachedAgent() {
  const agent = agentEndpoint(options);
  agent.attach(1, 0, 0n);
  return agent;
}

function read(bytes: Buffer | undefined): Frame {
  assert.ok(bytes, 'a frame is expected');
  return decodeFrame(bytes, { direction: 'toController', session: options.session });
}

test('frames are counted from after the handshake, and only reliable ones have a number', () => {
  const agent = attachedAgent();
  agent.send(aHeartbeat);
  agent.send({ kind: 'ready', stage: 0 });
  const [heartbeat, ready] = [read(agent.poll(0)), read(agent.poll(0))];
  assert.deepEqual([heartbeat.sequence, heartbeat.reliable], [2n, 0n]);
  assert.deepEqual([ready.sequence, ready.reliable], [3n, 1n]);
  assert.equal(agent.poll(0), undefined);
});

test('[RUN-08] a damaged frame is reported with the expected sequence, which does not advance', () => {
  const agent = attachedAgent();
  const [junk] = agent.receive(Buffer.from('not a frame'), 0);
  assert.ok(junk?.kind === 'invalid');
  assert.equal(junk.sequence, 3n);
  assert.match(junk.reason, /^not a Frame message: /);
  const damaged = frameToAgent(3n);
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  const [event] = agent.receive(damaged, 0);
  assert.deepEqual(event, { kind: 'invalid', sequence: 3n, reason: 'checksum mismatch' });
  assert.deepEqual(agent.receive(frameToAgent(3n), 0), [
    { kind: 'message', message: { kind: 'ping', id: 7 } },
  ]);
  assert.equal(agent.metrics().invalid, 2);
});

test('[RUN-08] a nak asks for what is missing, at most every 200 ms', () => {
  const agent = attachedAgent();
  const nakTimes: number[] = [];
  for (let ms = 0; ms < 1000; ms += 10) {
    agent.receive(Buffer.from('junk'), ms);
    if (agent.peek(ms) === 'nak') nakTimes.push(ms);
    while (agent.poll(ms));
  }
  assert.deepEqual(nakTimes, [0, 200, 400, 600, 800]);
});

test('[RUN-08] a hundred bad frames in a row are too many, ninety-nine and a good one are not', () => {
  const agent = attachedAgent();
  const junk = (count: number) =>
    Array.from({ length: count }, () => agent.receive(Buffer.from('junk'), 0)).flat();
  assert.ok(junk(99).every(({ kind }) => kind === 'invalid'));
  agent.receive(frameToAgent(3n), 0);
  assert.ok(junk(99).every(({ kind }) => kind === 'invalid'));
  assert.deepEqual(junk(1).at(-1), { kind: 'tooManyInvalid', count: 100 });
});

test('[RUN-08] a whole frame with an unreadable payload is reported with its own sequence and not asked for again', () => {
  const agent = attachedAgent();
  const payload = Uint8Array.of(0xff, 0xff, 0xff);
  const [event] = agent.receive(frameToAgent(3n, { reliable: 1n, payload }), 0);
  assert.ok(event?.kind === 'invalid');
  assert.equal(event.sequence, 3n);
  assert.match(event.reason, /not a Payload message/);
  assert.equal(agent.received, 1n);
  assert.notEqual(agent.peek(0), 'nak');
});

test('[LINK-09] a compressed bomb is an invalid frame, not an exhausted process', () => {
  const agent = attachedAgent();
  const [event] = agent.receive(
    // A deflate stream of three bytes that claims a stored block and has none.
    frameToAgent(3n, { encoding: 'DEFLATE', payload: Uint8Array.of(1, 255, 255) }),
    0,
  );
  assert.ok(event?.kind === 'invalid');
});

test('a kind that this version does not know is reported and nothing else happens', () => {
  const agent = attachedAgent();
  const payload = Uint8Array.of(0x80, 0x7d, 0x01);
  assert.deepEqual(agent.receive(frameToAgent(3n, { reliable: 1n, payload }), 0), [
    { kind: 'unknownKind', sequence: 3n, field: 2000 },
  ]);
  assert.equal(agent.received, 1n);
  assert.equal(agent.metrics().unknownKinds, 1);
});

test('a message that does not travel this way is invalid', () => {
  const agent = attachedAgent();
  const payload = encodePayload({ kind: 'ready', stage: 0 });
  const [event] = agent.receive(frameToAgent(3n, { payload }), 0);
  assert.ok(event?.kind === 'invalid');
  assert.equal(event.reason, 'a ready message does not belong here');
});

test('an acknowledgement of something never sent is invalid', () => {
  const agent = attachedAgent();
  for (const fields of [{ ack: 1n }, { seen: 2n }, { heard: 2n }]) {
    const [event] = agent.receive(frameToAgent(3n, fields), 0);
    assert.ok(event?.kind === 'invalid');
    assert.match(event.reason, /never sent/);
  }
});

test('[RPC-05] a gap in the sequence is reported, and a frame from before it is ignored', () => {
  const agent = attachedAgent();
  const events = agent.receive(frameToAgent(5n), 0);
  assert.deepEqual(events[0], { kind: 'gap', expected: 3n, received: 5n });
  assert.equal(events[1]?.kind, 'message');
  assert.deepEqual(agent.receive(frameToAgent(4n), 0), []);
  assert.deepEqual(agent.receive(frameToAgent(5n), 0), [], 'a replayed frame');
  assert.equal(agent.metrics().gaps, 1);
  assert.equal(agent.metrics().duplicates, 2);
});

test('[RUN-14] the largest sequence and reliable number are exact', () => {
  const agent = attachedAgent();
  const last = 2n ** 64n - 1n;
  const events = agent.receive(frameToAgent(last, { reliable: last }), 0);
  assert.deepEqual(events, [{ kind: 'gap', expected: 3n, received: last }]);
  assert.equal(agent.metrics().outOfOrder, 1);
});

test('[LINK-02] frames of a stream that was replaced, and frames between streams, are ignored', () => {
  const agent = attachedAgent();
  agent.attach(2, 0, 0n);
  assert.deepEqual(agent.receive(frameToAgent(3n), 0, 1), []);
  assert.equal(agent.receive(frameToAgent(3n), 0, 2).length, 1);
  agent.detach();
  assert.deepEqual(agent.receive(frameToAgent(4n), 0, 2), []);
  assert.equal(agent.metrics().stale, 2);
  assert.equal(agent.poll(0), undefined);
  assert.equal(agent.wakeAt(), undefined);
});

test('an acknowledgement of what is waited for goes out by itself after 50 ms, after 32 frames, or with anything else', () => {
  const agent = attachedAgent();
  agent.receive(goToAgent(3n), 100);
  assert.equal(agent.poll(149), undefined);
  assert.equal(agent.wakeAt(), 150);
  const ack = read(agent.poll(150));
  assert.deepEqual([ack.seen, ack.payload.length], [3n, 0]);
  assert.equal(agent.wakeAt(), undefined);

  for (let sequence = 4n; sequence < 35n; sequence += 1n) {
    agent.receive(goToAgent(sequence), 200);
    assert.equal(agent.peek(200), undefined);
  }
  agent.receive(goToAgent(35n), 200);
  assert.equal(agent.peek(200), 'ack');
  agent.send(aHeartbeat);
  assert.equal(read(agent.poll(200)).seen, 35n);
  assert.equal(agent.poll(300), undefined, 'the heartbeat acknowledged');
});

/** A controller, and the frames of its agent for it to receive. */
function attachedController() {
  const [agent, controller] = [agentEndpoint(options), controllerEndpoint(options)];
  agent.attach(1, 0, 0n, { intervalsPerFrame: 8 });
  controller.attach(1, 0, 0n);
  let first = 0;
  const gets = (nowMs: number, ...messages: AgentMessage[]): void => {
    for (const message of messages) agent.send(message);
    for (let bytes = agent.poll(0); bytes; bytes = agent.poll(0)) controller.receive(bytes, nowMs);
  };
  const getsInterval = (nowMs: number, bytes = 1): void => {
    const read = statsOf({ service: Buffer.from(noiseText(bytes)) });
    gets(nowMs, { kind: 'interval', ...anIntervalOf({ first: first++, operations: [read] }) });
  };
  return { controller, gets, getsInterval };
}

test('[PERF-07] of what comes every second two are acknowledged at once, soon after the second', () => {
  const { controller, getsInterval } = attachedController();
  getsInterval(5000);
  assert.equal(controller.wakeAt(), 6100);
  getsInterval(6000);
  assert.equal(controller.wakeAt(), 6100);
  assert.equal(controller.poll(6099), undefined);
  assert.ok(controller.poll(6100));
  assert.equal(controller.wakeAt(), undefined);
  getsInterval(7000);
  assert.equal(controller.wakeAt(), 8100);
});

test('[STAT-04] intervals are acknowledged sooner beside what is waited for, and when they are large', () => {
  const { controller, gets, getsInterval } = attachedController();
  getsInterval(5000);
  gets(5200, { kind: 'ready', stage: 0 });
  assert.equal(controller.wakeAt(), 5250);
  assert.ok(controller.poll(5250));
  gets(5300, { kind: 'ready', stage: 1 });
  getsInterval(5310);
  assert.equal(controller.wakeAt(), 5350);
  assert.ok(controller.poll(5350));
  getsInterval(6000, 3000);
  assert.equal(controller.wakeAt(), 7100);
  getsInterval(6500, 3000);
  assert.equal(controller.wakeAt(), 6550, 'more than 4 KiB count against the credit');
});

test('a message that its sender does not keep is acknowledged with the next frame, and by none of its own', () => {
  const agent = attachedAgent();
  agent.receive(frameToAgent(3n), 100);
  assert.equal(agent.wakeAt(), undefined);
  assert.equal(agent.peek(1000), undefined);
  agent.send(aHeartbeat);
  assert.equal(read(agent.poll(1000)).seen, 3n);
  agent.receive(frameToAgent(4n, { payload: encodePayload({ kind: 'nak', from: 1n }) }), 2000);
  assert.equal(agent.wakeAt(), 2050, 'what a nak says has been heard must become known');
});

test('an acknowledgement is never acknowledged', () => {
  const agent = attachedAgent();
  agent.receive(frameToAgent(3n, { payload: new Uint8Array() }), 0);
  assert.equal(agent.wakeAt(), undefined);
});

test('[STAT-04] [LINK-10] a heartbeat leaves before everything else that waits', () => {
  const agent = attachedAgent();
  agent.send({ kind: 'log', level: 'info', line: 'x' });
  agent.send({ kind: 'interval', ...anIntervalOf({ first: 0 }) });
  agent.send({ kind: 'state', state: 'RUNNING', reason: '' });
  agent.send({ kind: 'final', state: 'COMPLETED', reason: '' });
  agent.send(aHeartbeat);
  const kinds: unknown[] = [];
  for (let kind = agent.peek(0); kind; kind = agent.peek(0)) {
    kinds.push(kind);
    agent.poll(0);
  }
  assert.deepEqual(kinds, ['heartbeat', 'final', 'state', 'interval', 'log']);
});

/** Attached to a controller that reads heartbeats which ride; what it reads of each frame that is polled. */
function riding(takesBeside = true) {
  const agent = agentEndpoint(options);
  const controller = controllerEndpoint(options);
  agent.attach(1, 0, 0n, { takesBeside });
  controller.attach(1, 0, 0n);
  const frames = (): string[][] => {
    const kinds: string[][] = [];
    for (let bytes = agent.poll(0); bytes; bytes = agent.poll(0)) {
      kinds.push(messagesIn(controller.receive(bytes, 0)).map(({ kind }) => kind));
    }
    return kinds;
  };
  return { agent, controller, frames };
}

const interval = { kind: 'interval', ...anIntervalOf({ first: 0 }) } as const;

test('[PERF-07] a heartbeat rides in the frame of an interval, and each is delivered and counted', () => {
  const { agent, controller, frames } = riding();
  agent.send(interval);
  agent.send(aHeartbeat);
  const bytes = agent.poll(0);
  assert.ok(bytes);
  assert.deepEqual(messagesIn(controller.receive(bytes, 0)), [aHeartbeat, interval]);
  assert.deepEqual(frames(), []);
  const [sent, { received }] = [agent.metrics().sent, controller.metrics()];
  assert.deepEqual(sent.heartbeat, { messages: 1, bytes: 0 });
  assert.deepEqual(sent.interval, { messages: 1, bytes: bytes.length });
  assert.deepEqual([received.heartbeat, received.interval], [sent.heartbeat, sent.interval]);
});

test('[STAT-04] a heartbeat goes alone where it would wait for something, or nobody reads it elsewhere', () => {
  const { agent, frames } = riding();
  agent.send(interval);
  agent.send(aHeartbeat);
  agent.send({ kind: 'state', state: 'DRAINING', reason: '' });
  assert.deepEqual(frames(), [['heartbeat'], ['state'], ['interval']]);
  agent.send(aHeartbeat);
  assert.deepEqual(frames(), [['heartbeat']], 'without an interval');
  agent.send({ kind: 'checked', report: noiseText(100_000) });
  agent.send(interval);
  while (agent.poll(0));
  agent.send(aHeartbeat);
  assert.equal(agent.peek(0), 'heartbeat', 'the interval waits for credit');
  const old = riding(false);
  old.agent.send(interval);
  old.agent.send(aHeartbeat);
  assert.deepEqual(old.frames(), [['heartbeat'], ['interval']]);
});

test('[LINK-01] an interval that is written again takes no old heartbeat along', () => {
  const { agent, controller } = riding();
  agent.send(interval);
  agent.send(aHeartbeat);
  agent.poll(0);
  agent.detach();
  agent.attach(2, 0, 0n, { takesBeside: true });
  controller.attach(2, 0, 0n);
  const again = agent.poll(0);
  assert.ok(again);
  assert.deepEqual(messagesIn(controller.receive(again, 0)), [interval]);
});

test('[RUN-08] a heartbeat that rides where none belongs is invalid, and so is one that is unreadable', () => {
  const agent = attachedAgent();
  const ping = encodePayload({ kind: 'ping', id: 7 });
  const toAgent = Buffer.concat([ping, encodeBeside(aHeartbeat)]);
  const [event] = agent.receive(frameToAgent(3n, { payload: toAgent }), 0);
  assert.ok(event?.kind === 'invalid');
  assert.equal(event.reason, 'a heartbeat message does not belong here');
  // Payload.beside with a state that there is not
  const unreadable = Buffer.concat([ping, Uint8Array.of(0xe2, 0x03, 0x02, 0x08, 0x63)]);
  const [next] = agent.receive(frameToAgent(4n, { payload: unreadable }), 0);
  assert.ok(next?.kind === 'invalid');
  assert.equal(next.reason, 'state: 99 is not a value of AgentState');
});

test('a goodbye is the last word, whatever waits for credit', () => {
  const pipe = new LossyPipe();
  pipe.connect();
  pipe.agent.send({ kind: 'goodbye', reason: 'done' });
  pipe.agent.send({ kind: 'checked', report: noiseText(100_000) });
  pipe.agent.send({ kind: 'interval', ...anIntervalOf({ first: 0 }) });
  pipe.agent.send({ kind: 'log', level: 'info', line: 'x' });
  pipe.run(500);
  const kinds = messagesIn(pipe.toController).map(({ kind }) => kind);
  assert.equal(kinds.at(-1), 'goodbye');
  assert.deepEqual(kinds.sort(), ['checked', 'goodbye', 'interval', 'log']);
});

test('[STAT-02] of heartbeats that could not leave only the newest is kept, and the others are counted', () => {
  const agent = attachedAgent();
  for (let operations = 0; operations < 60; operations += 1)
    agent.send({ ...aHeartbeat, operations });
  agent.send({ kind: 'ready', stage: 0 });
  assert.equal(agent.metrics().dropped.heartbeat, 59);
  let frames = 0;
  while (agent.poll(0)) frames += 1;
  assert.equal(frames, 2);
});

test('[STAT-02] between streams what is unreliable is counted as dropped, what is reliable and every interval is kept', () => {
  const pipe = new LossyPipe();
  pipe.agent.send(aHeartbeat);
  pipe.agent.send({ kind: 'ready', stage: 1 });
  pipe.agent.send({ kind: 'interval', ...anIntervalOf({ first: 0 }) });
  pipe.connect();
  pipe.run(100);
  assert.deepEqual(
    messagesIn(pipe.toController).map(({ kind }) => kind),
    ['ready', 'interval'],
  );
  assert.deepEqual(pipe.agent.metrics().dropped, { heartbeat: 1 });
});

test('the handshake does not go through the endpoint', () => {
  const controller = controllerEndpoint(options);
  assert.throws(() => controller.send({ kind: 'confirm', proof: new Uint8Array() }), /confirm/);
});

test('[LINK-04] after a cut, what was not acked arrives once: numbers are kept, sequences begin again', () => {
  const pipe = new LossyPipe({ delayMs: 5 });
  pipe.connect();
  for (let stage = 0; stage < 4; stage += 1) {
    pipe.agent.send({ kind: 'ready', stage });
    pipe.agent.send({ kind: 'interval', ...anIntervalOf({ first: stage }) });
    pipe.run(3);
  }
  pipe.cut();
  pipe.connect();
  pipe.run(100);
  const got = messagesIn(pipe.toController);
  assert.deepEqual(
    got.flatMap((message) => (message.kind === 'ready' ? [message.stage] : [])),
    [0, 1, 2, 3],
  );
  assert.deepEqual(
    got.flatMap((message) => (message.kind === 'interval' ? [message.first] : [])),
    [0, 1, 2, 3],
  );
  assert.ok(pipe.agent.metrics().resent > 0);
  assert.ok(pipe.agent.settled);
});

test('[LINK-04] after a cut, new reliable messages do not overtake those that are written again', () => {
  const agent = attachedAgent();
  for (const stage of [0, 1, 2]) agent.send({ kind: 'ready', stage });
  while (agent.poll(0));
  agent.detach();
  agent.attach(2, 0, 1n);
  agent.send({ kind: 'error', code: 'space', message: 'disk full' });
  agent.send(aHeartbeat);
  const frames = [
    read(agent.poll(0)),
    read(agent.poll(0)),
    read(agent.poll(0)),
    read(agent.poll(0)),
  ];
  assert.deepEqual(
    frames.map(({ reliable }) => reliable),
    [0n, 2n, 3n, 4n],
    'the heartbeat may',
  );
});

test('a reliable frame that comes twice is delivered once', () => {
  const agent = attachedAgent();
  assert.equal(agent.receive(frameToAgent(3n, { reliable: 1n }), 0).length, 1);
  assert.equal(agent.receive(frameToAgent(4n, { reliable: 2n }), 0).length, 1);
  assert.deepEqual(agent.receive(frameToAgent(5n, { reliable: 1n }), 0), []);
  assert.equal(agent.received, 2n);
  assert.equal(agent.metrics().duplicates, 1);
});

test('[STAT-04] a large result waits for credit, a heartbeat does not', () => {
  const agent = attachedAgent();
  agent.send({ kind: 'checked', report: noiseText(200_000) });
  let bytes = 0;
  for (let frame = agent.poll(0); frame; frame = agent.poll(0)) bytes += frame.length;
  assert.ok(bytes > 8_000 && bytes < 20_000, `${bytes} bytes written without an acknowledgement`);
  agent.send(aHeartbeat);
  assert.equal(agent.peek(0), 'heartbeat');
  assert.ok(agent.unacked().queued > 5);
});

test('messages of another run are not read', () => {
  const other = controllerEndpoint({ ...options, session: 'run-2' });
  other.attach(1, 0, 0n);
  other.send({ kind: 'abort', reason: 'x' });
  const agent = attachedAgent();
  const frame = other.poll(0);
  assert.ok(frame);
  const events = agent.receive(frame, 0);
  assert.equal(events[0]?.kind, 'invalid');
});

test('[RPC-10] in place of a bare acknowledgement a message goes that acknowledges as much; without one it goes alone', () => {
  const leases = [{ kind: 'lease', count: 7 } as const];
  const controller = controllerEndpoint({ ...options, besidesAck: () => leases.shift() });
  const agent = attachedAgent();
  controller.attach(1, 0, 0n);
  const say = (first: number): void => {
    agent.send({ kind: 'ready', stage: first });
    agent.send({ kind: 'interval', ...anIntervalOf({ first }) });
    for (let frame = agent.poll(0); frame; frame = agent.poll(0)) controller.receive(frame, 0);
  };
  say(0);
  assert.equal(controller.poll(49), undefined);
  const lease = controller.poll(50);
  assert.ok(lease);
  assert.deepEqual(agent.receive(lease, 50), [
    { kind: 'message', message: { kind: 'lease', count: 7 } },
  ]);
  assert.ok(agent.settled);
  assert.equal(controller.poll(1000), undefined);
  say(1);
  const bare = controller.poll(100);
  assert.ok(bare);
  assert.deepEqual(agent.receive(bare, 100), []);
  assert.ok(agent.settled);
  const { lease: leased, ack } = controller.metrics().sent;
  assert.deepEqual([leased?.messages, ack?.messages], [1, 1]);
});

test('[LINK-12] messages and bytes are counted by kind on both sides, and compression', () => {
  const pipe = new LossyPipe();
  pipe.connect();
  pipe.agent.send({ kind: 'checked', report: 'x'.repeat(5000) });
  pipe.agent.send(aHeartbeat);
  pipe.run(200);
  const [agent, controller] = [pipe.agent.metrics(), pipe.controller.metrics()];
  assert.equal(agent.sent.checked?.messages, 1);
  assert.deepEqual(agent.sent.checked, controller.received.checked);
  assert.deepEqual(agent.sent.heartbeat, controller.received.heartbeat);
  assert.ok((controller.sent.ack?.messages ?? 0) >= 1);
  assert.ok(agent.packedBytes * 10 < agent.payloadBytes);
  assert.equal(agent.streams, 1);
});

const fates: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 8, arbitrary: fc.constant('arrive' as const) },
  { weight: 1, arbitrary: fc.constantFrom('drop' as const, 'damage' as const, 'repeat' as const) },
  {
    weight: 1,
    arbitrary: fc.record({ late: fc.integer({ min: 1, max: 30 }) }, { noNullPrototype: true }),
  },
);

/** Heartbeats and leases go on once a second, as in a run. */
function passSeconds(pipe: LossyPipe, seconds: number): void {
  for (let second = 0; second < seconds; second += 1) {
    pipe.agent.send(aHeartbeat);
    pipe.controller.send({ kind: 'lease', count: second });
    pipe.run(1000);
  }
}

test('[RPC-05] [LINK-04] over a pipe that loses, damages, repeats, reorders and is cut, every reliable message arrives once and in order, and every interval once', () => {
  fc.assert(
    fc.property(
      fc.array(fates, { minLength: 20, maxLength: 60 }),
      fc.array(fc.constantFrom('small', 'large', 'interval', 'cut', 'back'), { maxLength: 30 }),
      fc.constantFrom(1, 15, 120),
      (script, acts, delayMs) => {
        const pipe = new LossyPipe({ delayMs });
        pipe.connect();
        let frame = 0;
        pipe.fate = () => script[frame++] ?? 'arrive';
        const sent: string[] = [];
        const sentBack: string[] = [];
        let intervals = 0;
        for (const [index, act] of acts.entries()) {
          if (act === 'cut') {
            pipe.cut();
            pipe.connect();
          } else if (act === 'interval') {
            pipe.agent.send({ kind: 'interval', ...anIntervalOf({ first: intervals++ }) });
          } else if (act === 'back') {
            sentBack.push(String(index));
            pipe.controller.send({ kind: 'abort', reason: String(index) });
          } else {
            const reason = act === 'small' ? `${index}` : `${index} ${noiseText(50_000, index)}`;
            sent.push(reason);
            pipe.agent.send({ kind: 'state', state: 'RUNNING', reason });
          }
          pipe.run(20);
        }
        passSeconds(pipe, 5);
        // Who loses the very frames that would tell of the loss needs more of them: one a second.
        for (
          let more = 0;
          more < 25 && !(pipe.agent.settled && pipe.controller.settled);
          more += 1
        ) {
          passSeconds(pipe, 1);
        }
        const got = messagesIn(pipe.toController);
        assert.deepEqual(
          got.flatMap((message) => (message.kind === 'state' ? [message.reason] : [])),
          sent,
        );
        assert.deepEqual(
          messagesIn(pipe.toAgent).flatMap((message) =>
            message.kind === 'abort' ? [message.reason] : [],
          ),
          sentBack,
        );
        const firsts = got.flatMap((message) =>
          message.kind === 'interval' ? [message.first] : [],
        );
        assert.deepEqual(
          firsts.sort((a, b) => a - b),
          Array.from({ length: intervals }, (_, first) => first),
        );
        assert.ok(pipe.agent.settled && pipe.controller.settled, 'everything is acknowledged');
      },
    ),
    { numRuns: 200 },
  );
});

function changesAt(pipe: LossyPipe): string[] {
  return pipe.toAgent.flatMap((event) => (event.kind === 'adapted' ? [event.line] : []));
}

/** A connected pipe with a round trip of three seconds, and an interval a second for so long. */
function onSlowLink(seconds: number): LossyPipe {
  const pipe = new LossyPipe({ delayMs: 1500 });
  pipe.connect();
  for (let first = 0; first < seconds; first += 1) {
    pipe.agent.send({ kind: 'interval', ...anIntervalOf({ first }) });
    pipe.run(1000);
  }
  return pipe;
}

test('[LINK-11] where acknowledgements take three seconds two intervals share a frame, and that is told', () => {
  const pipe = onSlowLink(20);
  assert.deepEqual(changesAt(pipe), [
    'stats are acknowledged after 3100 ms; intervals per frame are now 2',
  ]);
  const { sent } = pipe.agent.metrics();
  assert.ok((sent.intervals?.messages ?? 0) >= 5, JSON.stringify(sent));
  pipe.run(10_000);
  const got = messagesIn(pipe.toController);
  assert.deepEqual(
    got.map((message) => message.kind === 'interval' && [message.first, message.last]),
    Array.from({ length: 20 }, (_, first) => [first, first]),
  );
  assert.ok(pipe.agent.settled);
});

test('[LINK-11] as long as the controller is silent nothing changes, however long that is', () => {
  const pipe = onSlowLink(20);
  pipe.fate = () => 'drop';
  pipe.run(3500);
  const before = changesAt(pipe);
  const written = pipe.agent.metrics().sent.intervals?.messages ?? 0;
  for (let first = 20; first < 140; first += 1) {
    pipe.agent.send({ kind: 'interval', ...anIntervalOf({ first }) });
    pipe.run(1000);
  }
  assert.deepEqual(changesAt(pipe), before);
  const frames = (pipe.agent.metrics().sent.intervals?.messages ?? 0) - written;
  assert.equal(frames, 60, 'two by two');
});

test('[LINK-11] a controller that does not say what it takes gets one interval per frame on any link', () => {
  const agent = agentEndpoint(options);
  agent.attach(1, 0, 0n);
  for (let first = 0; first < 10; first += 1) {
    agent.send({ kind: 'interval', ...anIntervalOf({ first }) });
  }
  for (let first = 0; first < 10; first += 1) {
    assert.ok(agent.poll(0));
    const seen = BigInt(first + 2);
    const late = frameToAgent(BigInt(first + 3), { seen, payload: new Uint8Array() });
    assert.deepEqual(agent.receive(late, 60_000 * (first + 1)), []);
  }
  assert.deepEqual(Object.keys(agent.metrics().sent), ['interval']);
});

test('[LINK-11] more intervals in a frame than any agent sends are an invalid frame', () => {
  const controller = controllerEndpoint(options);
  controller.attach(1, 0, 0n);
  const intervals = Array.from({ length: 9 }, (_, first) => anIntervalOf({ first }));
  const payload = encodePayload({ kind: 'intervals', intervals });
  const frame = encodeFrame(
    { sequence: 2n, reliable: 0n, ack: 0n, seen: 0n, heard: 0n, encoding: 'PLAIN', payload },
    { direction: 'toController', session: options.session },
  );
  assert.deepEqual(controller.receive(frame, 0), [
    { kind: 'invalid', sequence: 2n, reason: '9 intervals in one frame' },
  ]);
});

test('[LINK-11] while bulk waits for it, a credit that doubled is told, once in three seconds at most', () => {
  const pipe = new LossyPipe({ delayMs: 100 });
  pipe.connect();
  pipe.agent.send({ kind: 'checked', report: noiseText(8_000_000) });
  pipe.run(5000);
  const changes = changesAt(pipe);
  assert.ok(changes.length >= 1 && changes.length <= 3, changes.join('\n'));
  let before = 16;
  for (const line of changes) {
    const [, kib] = /^\d+ KiB\/s are acknowledged; bulk credit is now (\d+) KiB$/.exec(line) ?? [];
    assert.ok(Number(kib) >= 2 * before, changes.join('\n'));
    before = Number(kib);
  }
});
