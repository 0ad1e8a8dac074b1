import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentMessage, ControllerMessage } from '../../../../src/shared/model/messages.js';
import { Duplex } from '../../../../src/shared/wire/duplex.js';
import type { FrameStream } from '../../../../src/shared/wire/frame-stream.js';
import { agentEndpoint, LinkEndpoint } from '../../../../src/shared/wire/link-endpoint.js';
import { concatenate } from '../../../support/lossy-pipe.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { anIntervalOf } from '../../../support/sample-messages.js';

/** Two ends of a stream in memory. */
function pipe(): [FrameStream & { ended: boolean }, FrameStream & { ended: boolean }] {
  const make = () => {
    let listener: ((bytes: Buffer) => void) | undefined;
    const end = {
      peer: 'memory',
      ended: false,
      other: undefined as unknown as { take(bytes: Buffer): void },
      take: (bytes: Buffer) => listener?.(bytes),
      write(frame: Buffer) {
        end.other.take(frame);
        return true;
      },
      onFrame: (next: typeof listener) => (listener = next),
      onDrain: () => undefined,
      onClosed: () => undefined,
      end: () => (end.ended = true),
      cancel: () => undefined,
    };
    return end;
  };
  const [a, b] = [make(), make()];
  a.other = b;
  b.other = a;
  return [a, b];
}

function pair() {
  const clock = new ManualClock();
  const [agentSide, controllerSide] = pipe();
  const agent = agentEndpoint({ session: 'run', mergeHistograms: concatenate });
  const controller = new LinkEndpoint<ControllerMessage, AgentMessage>({
    side: 'controller',
    session: 'run',
    mergeHistograms: concatenate,
    confirms: true,
  });
  const heard: string[] = [];
  const heardKeep: (boolean | undefined)[] = [];
  const keeps = { all: false };
  const safe: (() => void)[] = [];
  const common = { generation: 1, peerReceived: 0n, clock, log: () => undefined };
  const agentDuplex = new Duplex<AgentMessage, ControllerMessage>({
    ...common,
    ...{ stream: agentSide, endpoint: agent },
    onEvent: (event) => {
      if (event.kind !== 'message') return;
      heard.push(event.message.kind);
      if (event.message.kind === 'goodbye') heardKeep.push(event.message.keep);
    },
    onEnd: () => undefined,
  });
  const controllerDuplex = new Duplex<ControllerMessage, AgentMessage>({
    ...common,
    ...{ stream: controllerSide, endpoint: controller },
    onEvent: () => undefined,
    onEnd: () => undefined,
    whenSafe: (done) => safe.push(done),
    mustKeep: () => keeps.all,
  });
  return {
    heardKeep,
    keeps,
    clock,
    agent,
    controller,
    agentDuplex,
    controllerDuplex,
    heard,
    safe,
    controllerSide,
  };
}

const ready = { kind: 'ready', stage: 0 } as const;

test('[RUN-10] a message is acknowledged when it is safe in the journal, not when it has arrived', () => {
  const { clock, agent, controller, agentDuplex, safe } = pair();
  agentDuplex.send(ready);
  clock.advance(10_000);
  assert.equal(safe.length, 1);
  assert.equal(controller.received, 0n);
  assert.equal(agent.settled, false, 'nothing said that it is safe');
  safe[0]?.();
  clock.advance(100);
  assert.equal(controller.received, 1n);
  assert.equal(agent.settled, true);
});

test('[PERF-07] [RUN-10] an interval that is safe is acknowledged in a second, with anything else at once', () => {
  const { clock, agent, agentDuplex, safe } = pair();
  const interval = { kind: 'interval', ...anIntervalOf({ first: 0 }) } as const;
  const allIsSafe = (): void => {
    for (const done of safe.splice(0)) done();
  };
  agentDuplex.send(interval);
  allIsSafe();
  clock.advance(1000);
  assert.equal(agent.settled, false);
  clock.advance(100);
  assert.equal(agent.settled, true);
  agentDuplex.send(ready);
  agentDuplex.send({ ...interval, first: 1, last: 1 });
  allIsSafe();
  clock.advance(100);
  assert.equal(agent.settled, true);
});

test('what the controller says meanwhile does not acknowledge by the way', () => {
  const { clock, agent, agentDuplex, controllerDuplex, heard, safe } = pair();
  agentDuplex.send(ready);
  controllerDuplex.send({ kind: 'lease', count: 1 });
  clock.advance(1000);
  assert.deepEqual(heard, ['lease']);
  assert.equal(agent.settled, false);
  safe[0]?.();
  clock.advance(100);
  assert.equal(agent.settled, true);
});

test('the goodbye and the end wait until all that was received is safe, and acknowledge it', () => {
  const { heardKeep, ...more } = pair();
  const { clock, agent, agentDuplex, controllerDuplex, controllerSide, heard, safe } = more;
  agentDuplex.send(ready);
  controllerDuplex.send({ kind: 'goodbye', reason: 'the run is over' });
  controllerDuplex.close('the run is over');
  clock.advance(500);
  assert.deepEqual(heard, []);
  assert.equal(controllerSide.ended, false);
  safe[0]?.();
  assert.deepEqual(heard, ['goodbye']);
  assert.deepEqual(heardKeep, [false]);
  assert.equal(agent.settled, true);
  assert.equal(controllerSide.ended, true);
});

test('[RUN-18] an agent is told to keep what it sent when that could not be made safe, which may turn out at the last', () => {
  const { agentDuplex, controllerDuplex, keeps, safe, heardKeep } = pair();
  agentDuplex.send(ready);
  controllerDuplex.send({ kind: 'goodbye', reason: 'the run is over' });
  keeps.all = true;
  safe[0]?.();
  assert.deepEqual(heardKeep, [true]);
});

test('on a new stream the agent is asked for what was not safe, and it arrives once', () => {
  const { clock, agent, controller, agentDuplex, safe } = pair();
  agentDuplex.send(ready);
  assert.equal(controller.received, 0n);
  agentDuplex.cancel('cut');
  agent.detach();
  controller.detach();
  // What became safe after the cut is known to be.
  safe[0]?.();
  assert.equal(controller.received, 1n);
  agent.attach(2, clock.nowMs(), controller.received);
  assert.equal(agent.settled, true);
});
