/** After authentication: a peer that has the token, or needs none, and talks nonsense. */
import assert from 'node:assert/strict';
import type { SessionEffect } from '../../../src/agent/core/session-io.js';
import { parseAssignment } from '../../../src/agent/core/parse-assignment.js';
import type {
  AgentMessage,
  ControllerMessage,
  Message,
} from '../../../src/shared/model/messages.js';
import type { Direction } from '../../../src/shared/wire/frame.js';
import { agentEndpoint, controllerEndpoint } from '../../../src/shared/wire/link-endpoint.js';
import type { LinkEndpoint } from '../../../src/shared/wire/link-endpoint.js';
import { AgentDriver } from '../agent-driver.js';
import { concatenate } from '../lossy-pipe.js';
import { fleetPlan, ScriptedFleet, stageOf } from '../scripted-fleet.js';
import type { Noise } from './noise.js';

const session = '7f3a';

/** One stream's worth of nonsense for an endpoint, until it ends the stream itself or `most` frames have come. */
function nonsense<Out extends Message, In extends Message>(
  noise: Noise,
  endpoint: LinkEndpoint<Out, In>,
  direction: Direction,
  options: {
    readonly most: number;
    readonly nowMs: () => number;
    readonly deliver: (message: In) => void;
  },
): number {
  let sequence = direction === 'toAgent' ? 3n : 2n;
  for (let frames = 1; frames <= options.most; frames += 1) {
    const reliable = noise.random.chance(0.7) ? endpoint.received + 1n : 0n;
    const bytes = noise.random.chance(0.05)
      ? noise.bytes()
      : noise.frame({ sequence, reliable }, { direction, session });
    sequence += 1n;
    for (const event of endpoint.receive(bytes, options.nowMs())) {
      if (event.kind === 'message') options.deliver(event.message);
      if (event.kind === 'tooManyInvalid') return frames;
    }
    while (endpoint.poll(options.nowMs())) {
      // What it has to say goes nowhere, and is not kept for ever.
    }
  }
  return options.most;
}

/** Against an agent: whatever a controller says, it is free again when that one is gone, and works for the next. */
export function fuzzAgent(noise: Noise, frames: number): void {
  const driver = new AgentDriver({ parseAssignment });
  let ended = 0;
  const endRunners = (): void => {
    for (; ended < driver.lastRunner; ended += 1) {
      driver.runnerExits({ signal: 'SIGKILL' }, ended + 1);
    }
  };
  for (let done = 0, runs = 0; done < frames; runs += 1) {
    const runId = `fuzz-${runs}`;
    driver.open({ runId, generation: 1 });
    assert.equal(driver.effects('accept', driver.last).length, 1, 'the agent is not free');
    const endpoint = agentEndpoint({ session, mergeHistograms: concatenate });
    endpoint.attach(1, driver.now.ms, 0n);
    if (noise.random.chance(0.5)) driver.prepare({ runId });
    if (noise.random.chance(0.5)) driver.runner({ kind: 'ready', stage: 0 });
    done += nonsense<AgentMessage, ControllerMessage>(noise, endpoint, 'toAgent', {
      most: 200,
      nowMs: () => driver.now.ms,
      deliver: (message) => {
        driver.receive(message);
        forget(driver.all);
        if (noise.random.chance(0.1)) driver.advance(noise.random.whole(1, 2000));
      },
    });
    driver.detach();
    // Longer than the lease, the back-off of runner ends and every grace.
    for (let waited = 0; driver.session.state !== 'IDLE' || driver.session.owner; waited += 1) {
      assert.ok(waited < 100, `stuck in ${driver.session.state}`);
      driver.advance(10_000);
      endRunners();
    }
    endRunners();
  }
}

function forget(effects: SessionEffect[]): void {
  const kept = effects.filter(({ kind }) => kind === 'forkRunner').slice(-1);
  if (effects.length > 2000) effects.splice(0, effects.length, ...kept);
}

/** Against a controller: one of three agents talks nonsense all the time; the run ends, and the other two complete. */
export function fuzzController(noise: Noise, frames: number): void {
  for (let done = 0; done < frames;) {
    const fleet = new ScriptedFleet(fleetPlan(3, { stages: [stageOf({ durationMs: 4000 })] }));
    const endpoint = controllerEndpoint({ session, mergeHistograms: concatenate });
    endpoint.attach(1, 0, 0n);
    fleet.start();
    for (let steps = 0; steps < 30 && !fleet.end; steps += 1) {
      fleet.advance(250);
      done += nonsense<ControllerMessage, AgentMessage>(noise, endpoint, 'toController', {
        most: 20,
        nowMs: () => fleet.nowMs,
        deliver: (message) => {
          const { generation } = fleet.agents[0] ?? { generation: 1 };
          const receivedNs = fleet.now.ns;
          fleet.feed({ kind: 'message', agent: 0, generation, message, receivedNs });
        },
      });
    }
    fleet.finish();
    assert.ok(fleet.end, 'the run never ended');
    assert.notEqual(fleet.end.exitCode, 70);
  }
}
