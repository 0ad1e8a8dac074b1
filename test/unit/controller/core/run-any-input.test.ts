// Whatever agents say, in whatever phase: the machine throws nothing, does not go round in circles, and ends.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RunInput, RunMode } from '../../../../src/controller/core/run-io.js';
import type { RunPhase } from '../../../../src/controller/core/snapshot.js';
import type { AgentMessage } from '../../../../src/shared/model/messages.js';
import { anyAgentMessage } from '../../../support/arbitrary-agent-words.js';
import {
  fleetPlan,
  ScriptedFleet,
  stageOf,
  welcomeOf,
  type Refusal,
} from '../../../support/scripted-fleet.js';

const stages = [
  stageOf({ durationMs: 3000 }),
  stageOf({ index: 1, name: 'second', durationMs: 2000 }),
];

/** One input may answer every agent and tell of each, not more. */
const mostEffects = 60;

interface Intruding {
  readonly atMs: number;
  readonly agent: number;
  readonly input:
    | { readonly kind: 'message'; readonly message: AgentMessage }
    | { readonly kind: 'cut' | 'failedDial' | 'strayDial' | 'stranger' | 'same' | 'invalid' };
}

const intruding: fc.Arbitrary<Intruding> = fc.record({
  atMs: fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 0, max: 14_000 })),
  agent: fc.integer({ min: 0, max: 2 }),
  input: fc.oneof(
    {
      weight: 8,
      arbitrary: anyAgentMessage.map((message) => ({ kind: 'message', message }) as const),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Intruding['input']>(
        { kind: 'cut' },
        { kind: 'failedDial' },
        { kind: 'strayDial' },
        { kind: 'stranger' },
        { kind: 'same' },
        { kind: 'invalid' },
      ),
    },
  ),
});

const histories = fc.record({
  mode: fc.constantFrom<RunMode>('run', 'run', 'run', 'prepare', 'cleanup', 'check'),
  namespace: fc.constantFrom('private', 'shared'),
  windowMs: fc.constantFrom(0, 5000),
  cleanup: fc.boolean(),
  /** Some do not answer something at all, so that each phase is long enough to be disturbed. */
  deaf: fc.array(
    fc.record({
      agent: fc.integer({ min: 0, max: 2 }),
      to: fc.constantFrom<Refusal>('prepare', 'start', 'go', 'abort', 'cleanup', 'result', 'probe'),
    }),
    { maxLength: 2 },
  ),
  intruding: fc.array(intruding, { minLength: 1, maxLength: 12 }),
});

function inputOf(fleet: ScriptedFleet, { agent, input }: Intruding): RunInput {
  const { generation } = fleet.agents[agent]!;
  switch (input.kind) {
    case 'message':
      return {
        kind: 'message',
        agent,
        generation,
        message: input.message,
        receivedNs: fleet.now.ns,
      };
    case 'cut':
      return { kind: 'linkLost', agent, generation, reason: 'reset' };
    case 'failedDial':
      return { kind: 'dialFailed', agent, generation, code: 'refused', message: 'refused' };
    case 'strayDial':
      return { kind: 'dialed', agent, generation: generation + 1, ...welcomeOf(agent, true) };
    case 'stranger':
      return { kind: 'helloResult', agent, hello: welcomeOf(agent + 5, false).hello };
    case 'same':
      return { kind: 'helloResult', agent, hello: welcomeOf(agent, false).hello };
    case 'invalid':
      return { kind: 'invalid', agent, generation, sequence: 7n, reason: 'checksum mismatch' };
  }
}

/** Feeds, and holds that the machine asks for no tick in the past twice. */
function feedWatched(fleet: ScriptedFleet, input: RunInput): void {
  const before = fleet.all.length;
  fleet.feed(input);
  assert.ok(fleet.all.length - before <= mostEffects, `${fleet.all.length - before} effects`);
  for (let ticks = 0; (fleet.run.wakeAt() ?? Infinity) <= fleet.nowMs; ticks += 1) {
    assert.ok(ticks < 3, `asks for a tick at ${String(fleet.run.wakeAt())} again and again`);
    fleet.feed({ kind: 'tick' });
  }
}

test('[LINK-05] [RUN-19] whatever agents say in whatever phase, the run neither breaks nor spins, and it ends', () => {
  const phases = new Set<RunPhase>();
  const ends = new Set<number>();
  fc.assert(
    fc.property(histories, ({ mode, namespace, windowMs, cleanup, deaf, intruding }) => {
      const plan = fleetPlan(3, { stages, namespace });
      const timeouts = { ...plan.timeouts, reconnectWindowMs: windowMs };
      const fleet = new ScriptedFleet({ ...plan, timeouts }, { mode, cleanup });
      for (const { agent, to } of deaf) fleet.refuse(agent, to);
      fleet.start();
      for (const one of intruding.toSorted((a, b) => a.atMs - b.atMs)) {
        fleet.advance(Math.max(0, 1000 + one.atMs - fleet.nowMs));
        if (fleet.end) break;
        phases.add(fleet.run.snapshot(fleet.now).phase);
        feedWatched(fleet, inputOf(fleet, one));
      }
      // Nothing may be longer than the longest of the deadlines: a disk that stands still.
      fleet.finish(plan.timeouts.prepareIoStallMs + 300_000);
      assert.ok(fleet.end, 'the run never ended');
      assert.equal(fleet.run.wakeAt(), undefined);
      ends.add(fleet.end.exitCode);
    }),
    { numRuns: Number(process.env['MUSTER_SIM_COUNT'] ?? 1000) },
  );
  for (const phase of ['synchronising', 'arming', 'running'] as const) {
    assert.ok(phases.has(phase), `never in ${phase}: ${[...phases].join()}`);
  }
  for (const code of [0, 3, 4]) assert.ok(ends.has(code), `never exit ${String(code)}`);
});
