import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mountOf } from '../../../../src/agent/core/mounts.js';

const mountinfo = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw,errors=remount-ro
23 22 0:5 / /dev rw,nosuid - devtmpfs devtmpfs rw,size=1k
40 22 0:40 / /mnt/my\\040disk rw,noatime shared:7 master:1 - xfs /dev/nvme0n1 rw,attr2
41 22 0:41 / /mnt ro - nfs4 server:/export rw,vers=4.2
42 22 0:42 / /mnt rw - tmpfs tmpfs rw
`;

describe('mountOf', () => {
  it('finds the longest mount point above a path, with options of mount and file system', () => {
    assert.deepEqual(mountOf('/mnt/my disk/bench', mountinfo), {
      point: '/mnt/my disk',
      type: 'xfs',
      device: '/dev/nvme0n1',
      options: ['rw', 'noatime', 'attr2'],
    });
    assert.equal(mountOf('/srv', mountinfo)?.device, '/dev/root');
    assert.equal(mountOf('/development', mountinfo)?.point, '/');
  });

  it('takes the last of several mounts on one point: it hides the others', () => {
    assert.equal(mountOf('/mnt/other', mountinfo)?.type, 'tmpfs');
  });

  it('knows nothing of a path when the text is empty', () => {
    assert.equal(mountOf('/mnt', ''), undefined);
  });
});
