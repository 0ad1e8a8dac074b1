import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAssignment } from '../../../../src/agent/core/parse-assignment.js';
import { AgentSession } from '../../../../src/agent/core/session.js';
import type { Open, SessionInput } from '../../../../src/agent/core/session-io.js';
import { ControllerLinks } from '../../../../src/agent/shell/controller-links.js';
import { readClock } from '../../../../src/shared/kernel/clock.js';
import type { AgentMessage, ControllerMessage } from '../../../../src/shared/model/messages.js';
import type { WelcomeReply } from '../../../../src/shared/wire/accept-session.js';
import { endedByController } from '../../../../src/shared/wire/frame-stream.js';
import type { FrameStream } from '../../../../src/shared/wire/frame-stream.js';
import { encodePayload } from '../../../../src/shared/wire/codec.js';
import { encodeFrame } from '../../../../src/shared/wire/frame.js';
import { controllerEndpoint } from '../../../../src/shared/wire/link-endpoint.js';
import { assignmentOf, openOf, runId } from '../../../support/agent-driver.js';
import { concatenate, messagesIn } from '../../../support/lossy-pipe.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { aHeartbeat, anIntervalOf } from '../../../support/sample-messages.js';

/** The agent's end of a call of which a test is the other end. */
class FakeStream implements FrameStream {
  readonly peer = '10.0.0.9:1234';
  readonly written: Buffer[] = [];
  ended: 'not' | 'ended' | 'cancelled' = 'not';
  #frame: ((bytes: Buffer) => void) | undefined;
  #closed: ((reason: string) => void) | undefined;

  write(frame: Buffer): boolean {
    this.written.push(frame);
    return true;
  }
  onFrame(listener: ((bytes: Buffer) => void) | undefined): void {
    this.#frame = listener;
  }
  onDrain(): void {
    // It is never full.
  }
  onClosed(listener: (reason: string) => void): void {
    this.#closed = listener;
  }
  end(): void {
    this.ended = 'ended';
  }
  cancel(): void {
    this.ended = 'cancelled';
    this.closes('cancelled');
  }
  closes(reason: string): void {
    this.#closed?.(reason);
  }
  arrives(bytes: Buffer): void {
    this.#frame?.(bytes);
  }
}

/** Links with a real session machine behind them, and what was logged and kept. */
function setUp() {
  const clock = new ManualClock();
  const session = new AgentSession({
    once: false,
    roots: [],
    parseAssignment,
    createHistogram: () => ({ add: () => undefined, encode: () => new Uint8Array() }),
  });
  const lines: string[] = [];
  const kept: string[] = [];
  const inputs: SessionInput[] = [];
  const feed = (input: SessionInput): void => {
    inputs.push(input);
    for (const effect of session.handle(input, readClock(clock))) {
      if (effect.kind === 'accept') links.accept(effect);
      if (effect.kind === 'send') links.send(effect);
      if (effect.kind === 'refuse') links.refuse(effect);
      if (effect.kind === 'closeStream') links.closeStream(effect);
      if (effect.kind === 'reportLink') links.reportLink();
      if (effect.kind === 'log') lines.push(`${effect.level} ${effect.line}`);
    }
  };
  const links = new ControllerLinks({
    ...{ session, feed, clock },
    log: (level, line) => lines.push(`${level} ${line}`),
    spool: {
      begin: () => undefined,
      add: ({ kind }) => kept.push(kind),
      checkpoint: () => kept.push('checkpoint'),
      end: () => Promise.resolve(),
      metrics: { checkpoints: 3, checkpointBytes: 4000 },
    },
    fetches: { incoming: () => Promise.resolve(), released: () => undefined },
    facts: { instanceId: 'i', bootId: 'b', version: '0', host: '{}' },
  });
  /** `meanwhile`: what happens between Welcome and Confirm. */
  const dial = async (open: Open, meanwhile?: () => Promise<void>): Promise<FakeStream> => {
    const stream = new FakeStream();
    await links.incoming({
      open,
      peer: stream.peer,
      accept: async (_welcome: WelcomeReply) => {
        await meanwhile?.();
        return { stream, signer: undefined };
      },
      refuse: ({ message }) => lines.push(`refused: ${message}`),
    });
    return stream;
  };
  const pass = (ms: number): void => {
    clock.advance(ms);
    feed({ kind: 'tick', health: { loopDelayNs: 0, rssBytes: 1 } });
  };
  return { clock, session, lines, kept, inputs, links, dial, pass };
}

/** What the agent wrote on the stream, as its controller reads it. */
function readBy(stream: FakeStream): readonly AgentMessage[] {
  const endpoint = controllerEndpoint({ session: runId, mergeHistograms: concatenate });
  endpoint.attach(1, 0, 0n);
  return messagesIn(stream.written.flatMap((bytes) => endpoint.receive(bytes, 0)));
}

function frameOf(sequence: bigint, message: ControllerMessage): Buffer {
  const numbers = { sequence, reliable: 0n, ack: 0n, seen: 0n, heard: 0n };
  const frame = { ...numbers, encoding: 'PLAIN', payload: encodePayload(message) } as const;
  return encodeFrame(frame, { direction: 'toAgent', session: runId });
}

test('[LINK-12] the report on the link goes to the controller and to the spool, with what the spool has written', async () => {
  const { dial, pass, kept } = setUp();
  const stream = await dial(openOf());
  pass(1000);
  const [report] = readBy(stream).filter((message) => message.kind === 'linkReport');
  assert.ok(report);
  assert.deepEqual([report.checkpoints, report.checkpointBytes], [3, 4000]);
  assert.deepEqual(
    report.sent.map(({ kind, messages }) => [kind, messages]),
    [['heartbeat', 1]],
  );
  assert.equal(kept.filter((kind) => kind === 'linkReport').length, 1);
});

test('[RUN-08] [RPC-05] what is wrong with frames is logged in its own words, and a hundred bad ones end the stream', async () => {
  const { dial, lines } = setUp();
  const stream = await dial(openOf());
  lines.length = 0;
  stream.arrives(frameOf(5n, { kind: 'ping', id: 1 }));
  assert.deepEqual(lines, ['debug Frames 3 to 4 are missing']);
  const unknown = { encoding: 'PLAIN', payload: Uint8Array.of(0x80, 0x7d, 0x01) } as const;
  const numbers = { sequence: 6n, reliable: 0n, ack: 0n, seen: 0n, heard: 0n };
  stream.arrives(encodeFrame({ ...numbers, ...unknown }, { direction: 'toAgent', session: runId }));
  assert.equal(lines.at(-1), 'warn Ignoring a message of unknown kind 2000');
  stream.arrives(Buffer.from('junk'));
  assert.match(lines.at(-1) ?? '', /^warn Ignoring invalid message \(sequence 7\): not a Frame/);
  for (let more = 0; more < 99; more += 1) stream.arrives(Buffer.from('junk'));
  assert.ok(lines.includes('warn 100 invalid messages in a row: ending this stream'));
  assert.equal(stream.ended, 'cancelled');
});

test('[LINK-02] a controller that confirms after the agent has changed hands gets its stream ended, and changes nothing', async () => {
  const { dial, session, lines, inputs } = setUp();
  const late = await dial(openOf({ runId: 'late', identity: 'ann@ctl2' }), async () => {
    await dial(openOf());
  });
  assert.equal(late.ended, 'ended');
  assert.ok(
    lines.includes('warn Ended a stream of ann@ctl2 (10.0.0.9:1234): the agent has changed hands'),
    lines.join('\n'),
  );
  assert.equal(session.owner?.runId, runId);
  assert.equal(inputs.filter(({ kind }) => kind === 'opened').length, 1);
  const busy = await dial(openOf({ runId: 'other' }));
  assert.equal(busy.written.length, 0);
  assert.match(lines.at(-1) ?? '', /^refused: busy: run /);
});

test('[LINK-02] a controller that confirms while the agent is being stopped gets its stream ended, and the log says why', async () => {
  const { dial, session, lines, clock } = setUp();
  const late = await dial(openOf(), () => {
    session.handle({ kind: 'operatorStop', signal: 'SIGTERM' }, readClock(clock));
    return Promise.resolve();
  });
  assert.equal(late.ended, 'ended');
  const why = lines.find((line) => line.includes('Ended a stream')) ?? '';
  assert.match(why, /: the agent is being stopped$/);
});

test('[RUN-03] how a stream ended is in the log of the agent: by its controller, without a goodbye, by an error', async () => {
  const goodbye = { kind: 'goodbye', reason: 'done' } as const;
  for (const [says, reason, line] of [
    [[goodbye], endedByController, 'Stream closed by controller'],
    [[], endedByController, 'Stream error: the stream ended without a goodbye'],
    [[], 'read ECONNRESET', 'Stream error: read ECONNRESET'],
  ] as const) {
    const { dial, lines, session } = setUp();
    const stream = await dial(openOf());
    const assignment = JSON.stringify(assignmentOf());
    stream.arrives(frameOf(3n, { kind: 'prepare', assignment }));
    for (const message of says) stream.arrives(frameOf(4n, message));
    assert.equal(session.state, 'PREPARING');
    stream.closes(reason);
    assert.equal(lines.at(-1), `warn ${line}`);
    assert.equal(session.owner?.runId, runId, 'its load is not left behind');
  }
});

test('[LINK-06] a stream that is lost has what was reported put on the disk at once', async () => {
  const { dial, kept, session } = setUp();
  const stream = await dial(openOf());
  assert.ok(!kept.includes('checkpoint'));
  stream.cancel();
  assert.ok(kept.includes('checkpoint'));
  assert.equal(session.owner?.runId, runId, 'the run keeps the agent');
});

test('[PERF-07] an interval is not written before the flush, or the heartbeat that rides with it', async () => {
  const { dial, links } = setUp();
  const stream = await dial(openOf({ takesBeside: true }));
  const interval = { kind: 'interval', ...anIntervalOf({ first: 0 }) } as const;
  links.send({ kind: 'send', message: interval });
  assert.equal(stream.written.length, 0);
  links.flush();
  assert.equal(stream.written.length, 1);
  links.send({ kind: 'send', message: { ...interval, first: 1, last: 1 } });
  links.send({ kind: 'send', message: aHeartbeat });
  assert.equal(stream.written.length, 2);
  const kinds = readBy(stream).map(({ kind }) => kind);
  assert.deepEqual(kinds, ['interval', 'heartbeat', 'interval']);
});
