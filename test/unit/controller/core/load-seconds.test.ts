import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSeconds } from '../../../../src/controller/core/agent-outcome.js';
import { AgentStage } from '../../../../src/controller/core/agent-stage.js';
import type { StageResult } from '../../../../src/shared/model/messages.js';
import { RecordedAgent, stagePlan } from '../../../support/recorded-run.js';

/** A member of a stage that has reported so many seconds, and may have given its result. */
function member(seconds: number, result?: StageResult): { readonly stage: AgentStage } {
  const stage = new AgentStage(false, 1);
  if (seconds > 0) stage.held.add(0, seconds - 1);
  if (result) stage.setResult({ ...result, intervals: seconds });
  return { stage };
}

/** What ended after so many seconds, and when nothing more was begun; 0n: it did not say. */
function ended(by: StageResult['endedBy'], doneS: number, issuedS = doneS): StageResult {
  const result = new RecordedAgent().result(by, doneS);
  const endedNs = issuedS === 0 ? 0n : result.atNs + BigInt(issuedS * 1e9);
  return { ...result, endedNs };
}

test('[LINK-16] load is there until the last agent was done or stopped, or the duration was over', () => {
  const of = (members: readonly ReturnType<typeof member>[], durationMs?: number): number =>
    loadSeconds(members, stagePlan(0, { durationMs }));
  assert.equal(of([]), 0);
  assert.equal(
    of([member(3, ended('operations', 2.5)), member(5, ended('operations', 4.25))]),
    4.25,
  );
  // The last one was begun earlier than it ended: until then the agent had something to do.
  assert.equal(of([member(3, ended('operations', 2.5, 2))]), 2.5);
  assert.equal(of([member(5, ended('duration', 4.5))], 4000), 4);
  // The storage hung from the first second on; in the second case it came back with what was in flight.
  assert.equal(of([member(5, ended('drained', 1, 3.5))], 4000), 3.5);
  assert.equal(of([member(5, ended('drained', 4.5, 3.5))]), 4.5);
  // Lost without a word: as far as it has reported.
  assert.equal(of([member(1, ended('operations', 0.5)), member(3)]), 3);
  assert.equal(of([member(9)], 4000), 4);
  // Stopped in its third second; and killed, so that it did not say when.
  assert.equal(of([member(3, ended('aborted', 2.25, 2.5))], 60_000), 2.5);
  assert.equal(of([member(3, ended('killed', 2.25, 0))], 60_000), 3);
});
