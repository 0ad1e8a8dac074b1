import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deviceNumber, mountedDevices } from '../../../../src/agent/runner/block-devices.js';

test('[SAFE-05] the parts of a device number are put together from where the kernel keeps them', () => {
  assert.equal(deviceNumber(0x811n), '8:17');
  assert.equal(deviceNumber(0x10301n), '259:1');
  // Minor 0x12345 is cut in two, major 0x1abc as well.
  assert.equal(
    deviceNumber((0x1000n << 32n) | (0xabcn << 8n) | 0x45n | (0x123n << 20n)),
    '6844:74565',
  );
});

test('[SAFE-05] mounts are known by their device number, whatever else the lines hold', () => {
  const mounts = mountedDevices(
    [
      '36 35 98:0 /mnt1 /mnt2 rw,noatime shared:1 - ext3 /dev/root rw,errors=continue',
      '37 35 0:44 / /btrfs rw - btrfs /dev/does-not-exist rw',
      '',
    ].join('\n'),
  );
  assert.equal(mounts.get('98:0'), '/mnt2');
  assert.equal(mounts.get('0:44'), '/btrfs');
  assert.equal(mounts.size, 2);
});
