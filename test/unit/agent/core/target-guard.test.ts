import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { refusalOf } from '../../../../src/agent/core/target-guard.js';

describe('target guard', () => {
  it('[SAFE-04] refuses the root and the folders of the system with everything below', () => {
    for (const folder of ['/', '/etc', '/usr', '/boot', '/proc', '/sys', '/dev']) {
      assert.ok(refusalOf(folder, []), folder);
      assert.ok(refusalOf(`${folder === '/' ? '/etc' : folder}/deep/below`, []), folder);
    }
    assert.match(refusalOf('/etc/bench', []) ?? '', /\/etc\/bench is refused/u);
  });

  it('[SAFE-04] allows folders whose names only begin like those', () => {
    for (const folder of ['/etcetera', '/devices/nvme', '/mnt/etc', '/usrlocal', '/srv']) {
      assert.equal(refusalOf(folder, []), undefined, folder);
    }
  });

  it('[SAFE-04] confines targets to the roots, the roots themselves included', () => {
    const roots = ['/mnt/a', '/srv/b'];
    assert.equal(refusalOf('/mnt/a', roots), undefined);
    assert.equal(refusalOf('/srv/b/deep', roots), undefined);
    for (const outside of ['/mnt', '/mnt/ab', '/srv', '/home']) {
      assert.match(refusalOf(outside, roots) ?? '', /--root \/mnt\/a, --root \/srv\/b/u, outside);
    }
  });

  it('[SAFE-04] refuses the folders of the system even inside a root', () => {
    assert.ok(refusalOf('/etc', ['/']));
    assert.equal(refusalOf('/mnt', ['/']), undefined);
  });
});
