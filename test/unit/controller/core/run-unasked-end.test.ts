import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AgentMessage } from '../../../../src/shared/model/messages.js';
import { fleetPlan, ScriptedFleet, stageOf } from '../../../support/scripted-fleet.js';

type Final = Extract<AgentMessage, { kind: 'final' }>;

const ends: readonly Pick<Final, 'state' | 'reason'>[] = [
  { state: 'COMPLETED', reason: '' },
  { state: 'ABORTED', reason: 'no reason of ours' },
];

const lineOf = ({ state, reason }: Pick<Final, 'state' | 'reason'>): string =>
  `Agent agent-2 ended its part of the run unasked (${state}${reason === '' ? '' : `: ${reason}`})`;

/** Brings the fleet into a phase in which agent-2 (index 1) is still expected to do something. */
const phases = {
  synchronising: (fleet) => fleet.refuse(1, 'probe').start().advance(50),
  preparing: (fleet) => fleet.refuse(1, 'prepare').start().advance(2000),
  arming: (fleet) => fleet.refuse(1, 'start').start().advance(1000),
  running: (fleet) => fleet.start().advance(8000),
  cleaning: (fleet) => fleet.refuse(1, 'cleanup').start().advance(13_000),
} satisfies Record<string, (fleet: ScriptedFleet) => ScriptedFleet>;

const codes = { synchronising: 3, preparing: 3, arming: 4, running: 4, cleaning: 0 } as const;

for (const phase of Object.keys(phases) as (keyof typeof phases)[]) {
  for (const end of ends) {
    // In cleanup its word that it has completed may come before the word that it has cleaned.
    if (phase === 'cleaning' && end.state === 'COMPLETED') continue;
    test(`[RUN-19] an agent that says ${end.state} unasked while ${phase} is lost at once, and nobody waits for it`, () => {
      const plan = fleetPlan(3, { stages: [stageOf({ durationMs: 10_000 })] });
      const fleet = new ScriptedFleet(plan, { cleanup: true });
      phases[phase](fleet);
      assert.equal(fleet.run.snapshot(fleet.now).phase, phase);
      const saidAtMs = fleet.nowMs;
      fleet.says(1, { kind: 'final', ...end });
      assert.equal(fleet.run.sessions[1]?.state, 'FAILED');
      assert.ok(fleet.lines().includes(lineOf(end)), fleet.lines().join('\n'));
      assert.equal(fleet.sent('abort', 1).length, 1, 'whatever it does, it is told to stop');
      fleet.finish(60_000);
      assert.equal(fleet.end?.exitCode, codes[phase]);
      assert.ok(fleet.nowMs - saidAtMs < 20_000);
      if (codes[phase] !== 0)
        assert.match(fleet.end.reason ?? '', /ended its part of the run unasked/);
    });
  }
}

test('[RUN-19] an agent that says it has cleaned up unasked is lost', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).refuse(1, 'prepare').start().advance(2000);
  fleet.says(1, { kind: 'cleaned', files: 3, warnings: [] });
  assert.equal(fleet.finish(1000).end?.exitCode, 3);
  assert.match(fleet.end?.reason ?? '', /agent-2 ended its part of the run unasked/);
});

test('a Final after Abort, after the last result, or after the end is what was asked for', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).start().finish();
  assert.equal(fleet.end?.exitCode, 0);
  const interrupted = new ScriptedFleet(fleetPlan(3)).start().advance(6000);
  interrupted.feed({ kind: 'interrupt', signal: 'SIGINT' }).finish(1000);
  assert.equal(interrupted.end?.exitCode, 130);
  for (const { all } of [fleet, interrupted]) {
    assert.ok(!all.some((effect) => effect.kind === 'notice' && effect.line.includes('unasked')));
  }
});

test('an end that is only announced is waited for: its own message follows', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).start().advance(6000);
  fleet.says(1, { kind: 'state', state: 'FAILED', reason: '' });
  assert.equal(fleet.run.sessions[1]?.state, 'RUNNING');
  fleet.says(1, { kind: 'error', code: 'crashed', message: 'it broke' });
  assert.equal(fleet.run.sessions[1].state, 'FAILED');
});

test('an agent that has prepared and is cut off for good is not judged again and again while others prepare', () => {
  const fleet = new ScriptedFleet(fleetPlan(3), { mode: 'prepare' }).refuse(1, 'prepare');
  fleet.start().advance(1000);
  fleet.freeze(0);
  // Past prepare_silence: a verdict that changes nothing would ask for a tick at once, for ever.
  fleet.advance(60_000);
  assert.equal(fleet.run.sessions[0]?.state, 'COMPLETED');
  assert.equal(fleet.end, undefined);
});
