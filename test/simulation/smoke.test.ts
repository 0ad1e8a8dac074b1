import assert from 'node:assert/strict';
import { test } from 'node:test';
import { History } from '../support/sim/history.js';
import { deadlineMs, ownerlessMs, violations } from '../support/sim/invariants.js';
import { randomScenario } from '../support/sim/scenario.js';

test('histories', () => {
  const count = Number(process.env['MUSTER_SIM_COUNT'] ?? 20);
  const first = Number(process.env['MUSTER_SIM_SEED'] ?? 1);
  const faults = Number(process.env['MUSTER_SIM_FAULTS'] ?? 0);
  const outcomes = new Map<string, number>();
  let failed = 0;
  for (let seed = first; seed < first + count; seed += 1) {
    const scenario = randomScenario(seed, faults);
    const history = new History(scenario);
    history.play(deadlineMs(history) + 60_000, ownerlessMs(scenario.plan) + 2*Math.max(0, ...scenario.faults.map(f=>'forMs' in f? f.forMs:0)) + 5000);
    const found = violations(history);
    const code = history.controllerDiedMs!==undefined ? 'died' : String(history.controller.finished?.exitCode);
    outcomes.set(code, (outcomes.get(code) ?? 0) + 1);
    if (found.length > 0 ) {
      failed += 1;
      if (failed <= 3) console.log(seed, scenario.mode, JSON.stringify(scenario.faults), found.slice(0,5), process.env['V'] ? history.controller.notices : history.controller.notices.slice(-6), history.controller.finished);
      if (process.env['V']) {
        console.log(JSON.stringify(scenario, null, 1));
        for (const r of history.controller.records) if (!['interval','heartbeat'].includes(r.record.type)) console.log((r.atMs-1000).toFixed(1), JSON.stringify(r.record, (k, v) => typeof v === 'bigint' ? String(v) : v).slice(0, 200));
        history.hosts.forEach((h, i) => console.log(i, h.log));
      }
    }
  }
  console.log(outcomes, 'failed', failed);
  assert.equal(failed, 0);
});
