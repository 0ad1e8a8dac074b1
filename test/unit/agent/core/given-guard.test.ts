import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { consentRefusal, givenRefusal, noConsent } from '../../../../src/agent/core/given-guard.js';
import type { GivenFacts } from '../../../../src/agent/core/given-guard.js';

const file: GivenFacts = {
  name: '/srv/a',
  realPath: '/srv/a',
  type: 'file',
  sizeBytes: 4096,
  readOnly: false,
  usedAs: undefined,
};
const device: GivenFacts = { ...file, name: '/dev/sdx', realPath: '/dev/sdx', type: 'device' };
const read = { kind: 'existing', writes: false } as const;
const write = { kind: 'existing', writes: true } as const;
const readDevice = { kind: 'devices', writes: false } as const;
const writeDevice = { kind: 'devices', writes: true } as const;

describe('guard of what was there before', () => {
  it('[SAFE-05] reading needs --allow-existing, writing --allow-devices, of files and devices alike', () => {
    const readOnly = { existing: true, devices: false, dropCaches: false };
    const both = { existing: false, devices: true, dropCaches: false };
    for (const use of [read, readDevice]) {
      assert.match(consentRefusal(use, noConsent) ?? '', /--allow-existing/u);
      assert.equal(consentRefusal(use, readOnly), undefined);
      assert.equal(consentRefusal(use, both), undefined);
    }
    for (const use of [write, writeDevice]) {
      assert.match(consentRefusal(use, noConsent) ?? '', /--allow-devices/u);
      assert.match(consentRefusal(use, readOnly) ?? '', /--allow-devices/u);
      assert.equal(consentRefusal(use, both), undefined);
    }
  });

  it('[SAFE-05] takes files and devices as what they are', () => {
    assert.equal(givenRefusal(read, file, []), undefined);
    assert.equal(givenRefusal(writeDevice, device, []), undefined);
    assert.match(givenRefusal(read, device, []) ?? '', /name it in dataset\.devices/u);
    assert.match(givenRefusal(readDevice, file, []) ?? '', /name it in dataset\.existing/u);
    assert.match(givenRefusal(read, { ...file, type: 'other' }, []) ?? '', /neither a regular/u);
  });

  it('[SAFE-04] the folders of the system stay forbidden, also behind a link, and devices are in /dev', () => {
    for (const folder of ['/etc', '/usr', '/boot', '/proc', '/sys', '/dev']) {
      const real = `${folder}/a`;
      assert.match(
        givenRefusal(read, { ...file, realPath: real }, []) ?? '',
        new RegExp(`^/srv/a \\(${real}\\) is refused`, 'u'),
      );
    }
    const elsewhere = { ...device, realPath: '/srv/node' };
    assert.match(givenRefusal(readDevice, elsewhere, []) ?? '', /by its name in \/dev/u);
  });

  it('[SAFE-04] --root confines them too; a root may be the device itself', () => {
    assert.match(givenRefusal(read, file, ['/mnt']) ?? '', /--root \/mnt/u);
    assert.equal(givenRefusal(read, file, ['/mnt', '/srv']), undefined);
    assert.match(givenRefusal(readDevice, device, ['/mnt']) ?? '', /--root \/mnt/u);
    assert.equal(givenRefusal(readDevice, device, ['/dev/sdx']), undefined);
    assert.ok(givenRefusal(readDevice, { ...device, realPath: '/dev/sdxy' }, ['/dev/sdx']));
  });

  it('[SAFE-05] what is in use may be read, never written; nor what is read-only or empty', () => {
    const mounted = { ...device, usedAs: 'mounted on /home' };
    assert.equal(givenRefusal(readDevice, mounted, []), undefined);
    assert.match(givenRefusal(writeDevice, mounted, []) ?? '', /in use \(mounted on \/home\)/u);
    const readOnly = { ...device, readOnly: true };
    assert.equal(givenRefusal(readDevice, readOnly, []), undefined);
    assert.match(givenRefusal(writeDevice, readOnly, []) ?? '', /is read-only/u);
    for (const use of [readDevice, writeDevice]) {
      assert.match(givenRefusal(use, { ...device, sizeBytes: 0 }, []) ?? '', /is empty/u);
    }
  });
});
