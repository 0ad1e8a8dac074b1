import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { test, type TestContext } from 'node:test';
import { RunResults } from '../../src/controller/shell/run-results.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { controller } from '../support/cli-run.js';
import { sampleRun } from '../support/recorded-run.js';

function folders(t: TestContext): (perSecond: number, stage?: string) => Promise<string> {
  const parent = mkdtempSync(`${tmpdir()}/muster-compare-`);
  t.after(() => {
    rmSync(parent, { recursive: true });
  });
  return async (perSecond, stage = 'mixed') => {
    const results = await RunResults.open({
      parent,
      name: 'recorded',
      configText: '',
      clock: systemClock,
      onFailure: (line) => assert.fail(line),
    });
    for (const record of sampleRun({ seconds: 12, perSecond })) {
      if (record.type === 'run') {
        const stages = record.plan.stages.map((one) => ({ ...one, name: stage }));
        results.record({ ...record, plan: { ...record.plan, stages } });
      } else results.record(record);
    }
    return (await results.finish()).folder;
  };
}

test('[CLI-01] compare shows two runs side by side; a regression beyond --limit is exit 1', async (t) => {
  const folder = folders(t);
  const [fast, slow] = [await folder(100), await folder(80)];
  const worse = await controller('compare', fast, slow);
  assert.equal(worse.code, 1, worse.stderr);
  assert.match(worse.stdout, /^mixed +read +ops\/s +189 +151 +-20\.1 % +\+-[\d.]+ % +REGRESSION$/m);
  const tolerated = await controller('compare', fast, slow, '--limit', '50%', '--json');
  assert.equal(tolerated.code, 0, tolerated.stderr);
  const { limit, metrics } = JSON.parse(tolerated.stdout) as {
    limit: number;
    metrics: { regression: boolean }[];
  };
  assert.equal(limit, 0.5);
  assert.equal(metrics.length, 6);
  assert.ok(metrics.every(({ regression }) => !regression));
});

test('[CLI-03] compare of runs that have no stage in common compares nothing: exit 2', async (t) => {
  const folder = folders(t);
  const { code, stdout } = await controller('compare', await folder(50), await folder(50, 'other'));
  assert.equal(code, 2);
  assert.match(stdout, /^The two have no operation of a stage in common\.$/m);
  assert.doesNotMatch(stdout, /bounds/);
});

test('[CLI-03] compare refuses what is no results folder, and a limit that is no percentage, with exit 2', async (t) => {
  const good = await folders(t)(50);
  const missing = await controller('compare', good, '/nonexistent');
  assert.equal(missing.code, 2);
  assert.match(missing.stderr, /^ERROR: Cannot read \/nonexistent\/journal\.ndjson/);
  const limit = await controller('compare', good, good, '--limit', 'much');
  assert.equal(limit.code, 2);
  assert.match(limit.stderr, /It is a percentage such as 5\./);
});
