import assert from 'node:assert/strict';
import os from 'node:os';
import { test } from 'node:test';
import { readBootId, readHostFacts } from '../../../../src/agent/shell/host-facts.js';
import { mountOf, parseMounts } from '../../../../src/agent/shell/mount-table.js';

const table = `/dev/sda1 / ext4 rw 0 0
filer:/vol/a\\040b /mnt/my\\040nfs nfs4 rw,hard 0 0
/dev/nvme0n1 /mnt/my\\040nfs/fast xfs rw 0 0
overlay /mnt/twice overlay rw 0 0
tmpfs /mnt/twice tmpfs rw 0 0
`;

test('the mount of a path is the longest that holds it, the last of several on one folder', () => {
  const mounts = parseMounts(table);
  assert.equal(mountOf('/home/x', mounts)?.type, 'ext4');
  assert.deepEqual(mountOf('/mnt/my nfs/data', mounts), {
    folder: '/mnt/my nfs',
    type: 'nfs4',
    source: 'filer:/vol/a b',
  });
  assert.equal(mountOf('/mnt/my nfs/fast/x', mounts)?.type, 'xfs');
  assert.equal(mountOf('/mnt/my nfs/faster', mounts)?.type, 'nfs4');
  assert.equal(mountOf('/mnt/twice', mounts)?.type, 'tmpfs');
  assert.equal(mountOf('/x', []), undefined);
});

test('host facts name this machine and survive JSON', () => {
  const facts = readHostFacts(['/somewhere/that/is/not/there']);
  assert.equal(facts.hostname, os.hostname());
  assert.equal(facts.node, process.version);
  assert.ok(facts.cpus >= 1);
  assert.ok(facts.memoryBytes > 0);
  assert.equal(facts.roots[0]?.path, '/somewhere/that/is/not/there');
  const read = JSON.parse(JSON.stringify(facts)) as { hostname: string };
  assert.equal(read.hostname, facts.hostname);
});

test('the boot id is the same for every agent of a machine', () => {
  assert.ok(readBootId(1_700_000_000_000).length > 8);
  assert.equal(readBootId(1_700_000_000_000), readBootId(1_700_000_000_000));
});
