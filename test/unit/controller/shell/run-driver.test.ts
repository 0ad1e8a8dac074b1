import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Run } from '../../../../src/controller/core/run.js';
import type { RunInput } from '../../../../src/controller/core/run-io.js';
import { RunDriver } from '../../../../src/controller/shell/run-driver.js';
import type { AgentLinks } from '../../../../src/controller/shell/run-driver.js';
import { splitPlan } from '../../../../src/shared/model/split-plan.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { countedLink } from '../../../support/recorded-run.js';
import { fleetPlan } from '../../../support/scripted-fleet.js';

/** A run whose agent does not answer, ended by `input`; for how long its links may go on fetching. */
async function fetchLimitAfter(input: RunInput): Promise<number | undefined> {
  const plan = fleetPlan(1);
  const assignments = splitPlan(plan, '7f3a', 'root@ctl', 'run', { datasetHash: 'abc' });
  const options = { runId: '7f3a', plan, mode: 'run', assignments, cleanup: false } as const;
  let limit: number | undefined;
  const nothing = (): void => undefined;
  const links: AgentLinks = {
    ...{ dial: nothing, helloProbe: nothing, send: nothing, hangUp: nothing, cut: nothing },
    ...{ fetch: nothing, metrics: () => countedLink().metrics, leave: () => Promise.resolve([]) },
    close: (fetchMs) => {
      limit = fetchMs;
      return Promise.resolve();
    },
  };
  const run = new Run({ ...options, random: () => 0.5 });
  const sinks = { record: nothing, notice: nothing, checked: nothing };
  const driver = new RunDriver(run, new ManualClock(), sinks, () => links);
  const end = driver.drive();
  driver.feed(input);
  await end;
  return limit;
}

test('[RUN-09] after Ctrl-C a fetch from an agent that was restarted is not waited for as long as it takes', async () => {
  assert.equal(await fetchLimitAfter({ kind: 'interrupt', signal: 'SIGINT' }), 2000);
  const refused = { code: 'refused', message: 'connection refused' } as const;
  const failed = { kind: 'dialFailed', agent: 0, generation: 1, ...refused } as const;
  assert.equal(await fetchLimitAfter(failed), undefined);
});
