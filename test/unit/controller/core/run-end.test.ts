import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resultOf } from '../../../support/agent-driver.js';
import { fleetPlan, ScriptedFleet } from '../../../support/scripted-fleet.js';

test('[RUN-27] an agent whose workload process was killed did not complete, though it gave a result: exit 4', () => {
  const fleet = new ScriptedFleet(fleetPlan(3)).start().advance(5000);
  fleet.says(1, { kind: 'stageResult', ...resultOf({ endedBy: 'killed' }) });
  const message = 'workload process was killed by SIGKILL';
  fleet.says(1, { kind: 'error', code: 'killed', message });
  fleet.says(1, { kind: 'final', state: 'FAILED', reason: message });
  fleet.refuse(1, 'interval', 'result').finish();
  assert.equal(fleet.end?.exitCode, 4);
  assert.equal(fleet.end.outcome, 'partial');
  assert.match(fleet.end.reason ?? '', /2 of 3 agents completed \(.*SIGKILL/);
});
