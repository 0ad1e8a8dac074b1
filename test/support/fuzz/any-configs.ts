import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { controller, Desk } from '../cli-run.js';
import {
  assertPercentilesAgree,
  assertRatesAgree,
  assertSumsAgree,
  stageTotal,
} from '../sum-checks.js';
import { filesBelow } from '../temporary-folder.js';
import { anyConfig } from './arbitrary-config.js';
import type { AnyConfig } from './arbitrary-config.js';

/** `count` configs from the seed, each in a run of two embedded agents; every tenth on `null:`. */
export function anyConfigTests(count: number, seed: number): void {
  for (const [index, config] of fc.sample(anyConfig, { numRuns: count, seed }).entries()) {
    const title = `${String(index + 1)} of seed ${String(seed)}`;
    const target = index % 10 === 9 ? { target: 'null:' } : {};
    test(`[RES-02] [RES-03] any config, ${title}: within its limits, all files agree, nothing is left behind`, (t) =>
      runOf(t, { ...config, ...target }));
  }
}

async function runOf(t: TestContext, config: AnyConfig): Promise<void> {
  const desk = new Desk(t);
  const ran = await desk.run(desk.config(config), '--embedded', '2');
  const said = `${JSON.stringify(config)}\n${ran.stdout}${ran.stderr}`;
  assert.equal(ran.code, 0, said);
  const results = desk.newest();
  const before = results.text('summary.json');
  assertSumsAgree(results, { idle: true });
  assertPercentilesAgree(results);
  if (config.stages.every(({ warmup }) => warmup === undefined)) assertRatesAgree(results);
  for (const [index, { max_operations: most, max_bytes: mostBytes }] of config.stages.entries()) {
    const { count, bytes, errors } = stageTotal(results.summary.stages[index]);
    assert.ok(count + errors <= (most ?? Infinity), said);
    assert.ok(bytes <= (mostBytes ?? Infinity), said);
  }
  assert.deepEqual(filesBelow(desk.target), [], said);
  const again = await controller('report', results.path);
  assert.equal(again.code, 0, again.stdout + again.stderr);
  assert.equal(results.text('summary.json'), before);
}
