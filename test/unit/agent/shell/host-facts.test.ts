import assert from 'node:assert/strict';
import os from 'node:os';
import { test } from 'node:test';
import { readBootId, readHostFacts } from '../../../../src/agent/shell/host-facts.js';

test('host facts name this machine and survive JSON', () => {
  const facts = readHostFacts(['/somewhere/that/is/not/there']);
  assert.equal(facts.hostname, os.hostname());
  assert.equal(facts.node, process.version);
  assert.ok(facts.cpus >= 1);
  assert.ok(facts.memoryBytes > 0);
  const [root] = facts.roots;
  assert.equal(root?.path, '/somewhere/that/is/not/there');
  assert.equal(root.mount?.point, '/');
  assert.ok(root.mount.options.length > 0);
  const read = JSON.parse(JSON.stringify(facts)) as { hostname: string };
  assert.equal(read.hostname, facts.hostname);
});

test('the boot id is the same for every agent of a machine', () => {
  assert.ok(readBootId(1_700_000_000_000).length > 8);
  assert.equal(readBootId(1_700_000_000_000), readBootId(1_700_000_000_000));
});
