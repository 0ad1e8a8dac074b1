import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { TargetFacts } from '../../src/agent/runner/target-facts.js';
import { startAgentProcess } from '../support/agent-process.js';
import { assertOneSentence, controller, Desk } from '../support/cli-run.js';
import { loopDevice } from '../support/loop-device.js';
import { filesBelow } from '../support/temporary-folder.js';

const MiB = 1024 ** 2;
const read = { name: 'r', mix: 'read', block_size: '4KiB', access: 'random', max_operations: 50 };
const write = { name: 'w', mix: 'write', block_size: '64KiB', max_bytes: '1MiB' };

/** A config without a target: the dataset is what is there. */
function config(desk: Desk, dataset: object, stages: readonly object[]): string {
  return desk.file('given.json', JSON.stringify({ name: 'given', dataset, stages }));
}

async function agent(t: TestContext, ...flags: readonly string[]): Promise<string> {
  const started = await startAgentProcess(flags);
  t.after(() => started.program.kill('SIGKILL'));
  return started.address;
}

test('[SAFE-05] an existing file: refused without the operator’s flag, read with --allow-existing, written only with --allow-devices', async (t) => {
  const desk = new Desk(t);
  const name = desk.file('target/data.bin', Buffer.alloc(MiB, 7));
  const reading = config(desk, { existing: [name] }, [read]);
  const [none, existing, devices] = await Promise.all([
    agent(t),
    agent(t, '--allow-existing'),
    agent(t, '--allow-devices'),
  ]);
  const untouched = (): boolean => readFileSync(name).every((byte) => byte === 7);
  assertOneSentence(
    await desk.run(reading, '--agents', none),
    3,
    /Agent agent-1 failed: this agent does not let runs read files that are there already: start it with --allow-existing/,
  );
  assert.equal((await desk.run(reading, '--agents', existing)).code, 0);
  const alone = [await desk.run(reading), await desk.run(reading, '--allow-existing')];
  assert.deepEqual(
    alone.map(({ code }) => code),
    [3, 0],
    'embedded agents have the consent of whoever starts them',
  );
  const { manifest, summary } = desk.newest(desk.resultFolders().length);
  const [{ target } = {}] = manifest['agents'] as { target?: TargetFacts }[];
  const [held] = target?.given ?? [];
  assert.deepEqual([held?.path, held?.sizeBytes], [realpathSync(name), MiB]);
  assert.ok(held?.mount);
  assert.match(
    summary.warnings.join(),
    /what it reads \(1MiB\) fits into the memory of 1 of 1 agent,/,
  );
  assert.ok(untouched());

  const writing = config(desk, { existing: [name] }, [write]);
  const checked = await controller('check', writing, '--agents', existing);
  assert.equal(checked.code, 3);
  assert.match(checked.stdout, /start it with --allow-devices/);
  assert.equal((await controller('check', writing, '--allow-devices')).code, 0);
  assertOneSentence(await desk.run(writing, '--agents', existing), 3, /--allow-devices/);
  assert.ok(untouched());
  const written = await desk.run(writing, '--agents', devices);
  assert.equal(written.code, 0, written.stderr);
  const planned = await desk.run(writing, '--dry-run');
  assert.match(planned.stdout, /# agent-1 \(embedded:1\) overwrites .*data\.bin\n/);
  assert.ok(!untouched());

  const cleaned = await desk.command('cleanup', writing, '--agents', devices);
  assert.equal(cleaned.code, 0, cleaned.stderr);
  assert.deepEqual(filesBelow(desk.target), ['data.bin']);
  assert.equal(readFileSync(name).length, MiB);
});

test('[SAFE-05] a block device inside --root and with consent is written by embedded agents and checked beforehand', async (t) => {
  const desk = new Desk(t);
  const device = loopDevice(t, join(desk.path, 'image'), MiB);
  if (device === undefined) return;
  const whole = config(desk, { devices: [device] }, [write, read]);
  assertOneSentence(await desk.run(whole), 3, /does not let runs write to block devices/);
  const confined = await agent(t, '--allow-devices', '--root', desk.target);
  assertOneSentence(
    await desk.run(whole, '--agents', confined),
    3,
    /\/dev\/loop\d+ is outside of what this agent allows \(--root /,
  );
  const rooted = await agent(t, '--allow-devices', '--root', device);
  const checked = await controller('check', whole, '--agents', rooted);
  assert.equal(checked.code, 0, checked.stdout);
  assert.match(checked.stdout, new RegExp(`${device}, 1.00 MiB`));
  const ran = await desk.run(whole, '--allow-devices');
  assert.equal(ran.code, 0, ran.stderr);
  execFileSync('blockdev', ['--flushbufs', device]);
  assert.ok(readFileSync(join(desk.path, 'image')).some((byte) => byte !== 0));
  writeFileSync(join(desk.path, 'other'), '');
  assertOneSentence(
    await desk.run(
      config(desk, { devices: [join(desk.path, 'other')] }, [read]),
      '--allow-devices',
    ),
    3,
    /other is no block device: name it in dataset\.existing/,
  );
});
