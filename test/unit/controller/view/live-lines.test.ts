import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  agentLines,
  overallText,
  phaseProgress,
} from '../../../../src/controller/view/live-lines.js';
import { agentLoad, agentStatus, snapshotOf } from '../../../support/snapshots.js';

/** In the snapshot: 5000 operations and 20 480 000 bytes of one agent, after 15 s. */
function progressWith(limits: {
  durationMs?: number;
  maxOperations?: number;
  maxBytes?: number;
}): number | undefined {
  const prepared = agentStatus(0, { progress: { done: 8, total: 8, unit: 'files' } });
  const stage = {
    index: 0,
    name: 'mixed',
    elapsedMs: 15_000,
    warmupMs: 0,
    durationMs: undefined,
    ...limits,
  };
  return phaseProgress(snapshotOf([prepared], { stage }));
}

test('a stage is as far as its nearest limit, not as far as its preparing was', () => {
  assert.equal(progressWith({ maxOperations: 20_000 }), 0.25);
  assert.equal(progressWith({ maxBytes: 40_960_000 }), 0.5);
  assert.equal(progressWith({ durationMs: 60_000, maxOperations: 10_000 }), 0.5);
  assert.equal(progressWith({ durationMs: 20_000, maxOperations: 1_000_000 }), 0.75);
  assert.equal(progressWith({ maxOperations: 4_000 }), 1);
});

test('the share of the dataset that is made does not fall when another agent begins', () => {
  const shareOf = (...agents: Parameters<typeof agentStatus>[1][]): number | undefined =>
    phaseProgress(
      snapshotOf(
        agents.map((change, index) => agentStatus(index, { state: 'PREPARING', ...change })),
        { phase: 'preparing', stage: undefined },
      ),
    );
  const part = (done: number, total = 8) => ({ progress: { done, total, unit: 'files' } }) as const;
  assert.equal(shareOf({}, {}), undefined);
  assert.equal(shareOf(part(4), {}), 0.25, 'who has said nothing has as much to do');
  assert.equal(shareOf(part(4), part(0)), 0.25);
  assert.equal(shareOf(part(4), part(0, 80)), 0.25, 'even when it has far more to do');
  assert.equal(shareOf(part(8), part(4)), 0.75);
  assert.equal(shareOf(part(4), { state: 'FAILED' }), 0.5, 'and who is lost has nothing');
});

test('threads that are being started are shown as that, of one agent and of all', () => {
  const threads = (done: number) => ({ state: 'PREPARING', threads: { done, total: 64 } }) as const;
  const agents = [agentStatus(0, threads(40)), agentStatus(1, threads(24))];
  const snapshot = snapshotOf(agents, { phase: 'preparing', stage: undefined });
  assert.match(overallText(snapshot), /setting up threads, 64 of 128$/u);
  assert.match(agentLines(snapshot, 2)[0]?.text ?? '', /setting up threads, 40 of 64/u);
});

test('an agent that has reported no second of the stage is not said to do 0 ops/s', () => {
  const snapshot = snapshotOf([agentStatus(0), agentStatus(1)]);
  const agents = [agentLoad(0), agentLoad(1, { latest: undefined, operations: 0, bytes: 0 })];
  const [first, second] = agentLines({ ...snapshot, live: { ...snapshot.live, agents } }, 5);
  assert.match(first?.text ?? '', /1 000 ops\/s/u);
  assert.match(second?.text ?? '', /^ *agent-2 +RUNNING +rtt 250 us$/u);
});

test('an agent’s numbers that the terminal has no room for are left out whole', () => {
  const snapshot = snapshotOf([agentStatus(0), agentStatus(1)]);
  const [all = ''] = agentLines(snapshot, 5).map(({ text }) => text);
  const numbers = all.trim().split(/ {2,}/);
  assert.equal(numbers.length, 6, all);
  for (let width = 40; width <= all.length; width++) {
    for (const { text } of agentLines(snapshot, 5, width)) {
      assert.ok(text.length <= width, text);
      const shown = text.trim().split(/ {2,}/);
      assert.deepEqual(shown.slice(2).map(unitOf), numbers.slice(2, shown.length).map(unitOf));
    }
  }
  assert.equal(agentLines(snapshot, 5, all.length)[0]?.text, all);
});

/** `p99 1.23 ms` without its number. */
function unitOf(cell: string): string {
  return cell.replace(/[\d.]+(?: \d{3})*/u, '');
}
