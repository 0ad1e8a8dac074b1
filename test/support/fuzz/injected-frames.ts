/** After authentication, from in between: somebody who can write into the stream and does not have the token. */
import assert from 'node:assert/strict';
import type { AgentMessage, ControllerMessage } from '../../../src/shared/model/messages.js';
import { Token } from '../../../src/shared/wire/auth.js';
import { agentEndpoint, controllerEndpoint } from '../../../src/shared/wire/link-endpoint.js';
import type { LinkEndpoint } from '../../../src/shared/wire/link-endpoint.js';
import { intervalOf } from '../agent-driver.js';
import { concatenate } from '../lossy-pipe.js';
import type { Noise } from './noise.js';

type Side<
  Out extends AgentMessage | ControllerMessage,
  In extends AgentMessage | ControllerMessage,
> = {
  readonly endpoint: LinkEndpoint<Out, In>;
  readonly delivered: In[];
  /** Frames of the other side that passed by, to be played back. */
  readonly heard: Buffer[];
};

const remembered = 50;

/**
 * A session whose every frame is followed by noise: altered and replayed frames of its own, and frames made with another
 * token. What was sent arrives, once and in order, and nothing else does.
 */
export function fuzzSession(noise: Noise, frames: number): void {
  const { random } = noise;
  const options = { session: '7f3a', mergeHistograms: concatenate };
  const nonces = { controller: noise.bytes(16), agent: noise.bytes(16) };
  const signer = new Token('the token of the session, long enough').streamSigner(nonces);
  const guess = new Token('the guess of the one in between, wrong').streamSigner(nonces);
  const controller: Side<ControllerMessage, AgentMessage> = {
    endpoint: controllerEndpoint(options),
    ...{ delivered: [], heard: [] },
  };
  const agent: Side<AgentMessage, ControllerMessage> = {
    endpoint: agentEndpoint(options),
    ...{ delivered: [], heard: [] },
  };
  let nowMs = 0;
  let injected = 0;
  for (const { endpoint } of [controller, agent]) endpoint.attach(1, 0, 0n, { signer });

  const take = (side: typeof controller | typeof agent, frame: Buffer): void => {
    for (const event of side.endpoint.receive(frame, nowMs)) {
      assert.ok(event.kind !== 'tooManyInvalid' && event.kind !== 'unknownKind', event.kind);
      if (event.kind === 'message') (side.delivered as unknown[]).push(event.message);
    }
  };
  const inject = (side: typeof controller | typeof agent): void => {
    const direction = side === agent ? 'toAgent' : 'toController';
    const { heard } = side;
    const sequence = BigInt(random.whole(1, 1000));
    const place = { direction, session: '7f3a' } as const;
    const kinds = [
      () => noise.bytes(),
      () => noise.mutated(random.pick(heard)),
      () => random.pick(heard),
      () => noise.frame({ sequence, reliable: sequence }, { ...place, signer: guess }),
      () => noise.frame({ sequence, reliable: sequence }, place),
    ];
    injected += 1;
    take(side, random.pick(kinds)());
  };
  const carry = (
    from: typeof controller | typeof agent,
    to: typeof controller | typeof agent,
  ): void => {
    for (let frame = from.endpoint.poll(nowMs); frame; frame = from.endpoint.poll(nowMs)) {
      to.heard.push(frame);
      if (to.heard.length > remembered) to.heard.shift();
      take(to, frame);
      for (let more = random.whole(0, 4); more > 0; more -= 1) inject(to);
    }
  };

  let sent = 0;
  for (; injected < frames; sent += 1) {
    controller.endpoint.send({ kind: 'start', stage: sent, epoch: 1, atNs: BigInt(sent) });
    agent.endpoint.send({ kind: 'ready', stage: sent });
    agent.endpoint.send({ kind: 'interval', ...intervalOf({ stage: 0, first: sent, last: sent }) });
    carry(controller, agent);
    carry(agent, controller);
    nowMs += 250;
  }
  for (let settled = 0; settled < 200; settled += 1) {
    carry(controller, agent);
    carry(agent, controller);
    nowMs += 250;
  }
  const stagesOf = (
    side: { readonly delivered: readonly (AgentMessage | ControllerMessage)[] },
    kind: string,
  ) =>
    side.delivered.flatMap((message) =>
      message.kind === kind && 'stage' in message ? [message.stage] : [],
    );
  const each = Array.from({ length: sent }, (_, n) => n);
  assert.deepEqual(
    stagesOf(agent, 'start'),
    each,
    'the agent got what was sent, once and in order',
  );
  assert.equal(agent.delivered.length, sent, 'and nothing else');
  assert.deepEqual(stagesOf(controller, 'ready'), each);
  const seconds = controller.delivered.flatMap((message) =>
    message.kind === 'interval' ? [message.first] : [],
  );
  assert.deepEqual(
    seconds.toSorted((a, b) => a - b),
    each,
    'every interval once',
  );
  assert.equal(controller.delivered.length, 2 * sent);
  assert.equal(controller.endpoint.unacked().reliable + agent.endpoint.unacked().reliable, 0);
}
