import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fleetPlan, ScriptedFleet } from '../../../support/scripted-fleet.js';
import type { Refusal } from '../../../support/scripted-fleet.js';

/** What becomes of a command that one of three agents, which otherwise speaks, does not act on; and the latest that it may. */
const unanswered: readonly (readonly [Refusal, number, RegExp])[] = [
  ['prepare', 600_000, /^Agent agent-2 got no further in its prepare phase for 600s$/],
  ['start', 30_000, /agent-2.*did not answer Start/],
  ['go', 70_000, /^Agent agent-2 still gave no result of stage first 45s after its end$/],
  ['result', 70_000, /^Agent agent-2 still gave no result of stage first 45s after its end$/],
  ['cleanup', 90_000, /^Agent agent-2 got no further in its cleanup phase for 60s$/],
  ['abort', 8000, /^agent-2 not reached; it stops by itself within \d+s$/],
];

for (const [command, withinMs, line] of unanswered) {
  test(`[RPC-10] a ${command} that nothing comes of is told, with the agent and the time that it had`, () => {
    const fleet = new ScriptedFleet(fleetPlan(3), { cleanup: true }).refuse(1, command);
    const beganMs = fleet.nowMs;
    fleet.start();
    if (command === 'abort') fleet.advance(5000).feed({ kind: 'interrupt', signal: 'SIGINT' });
    fleet.finish(900_000);
    const said = [...fleet.lines(), fleet.end?.reason ?? ''];
    assert.ok(
      said.some((one) => line.test(one)),
      said.join('\n'),
    );
    const tookMs = fleet.nowMs - beganMs;
    assert.ok(tookMs <= withinMs + 20_000, `${String(tookMs)} ms`);
  });
}
