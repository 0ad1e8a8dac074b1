import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { blockDevice, imageOf } from '../../../../src/agent/runner/block-devices.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

/** Device nodes that are said to be there, and their numbers as stat(2) gives them. */
const nodes: ReadonlyMap<string, bigint> = new Map([
  ['/dev/sda2', 0x802n],
  ['/dev/sdb', 0x810n],
]);

/** What the kernel says of its devices, by files of /sys and /proc; a text that ends in `/` is a folder. */
function kernelSays(t: TestContext, files: Readonly<Record<string, string>>): string {
  const { path: root, remove } = temporaryFolder();
  t.after(() => {
    t.mock.restoreAll();
    remove();
  });
  const texts = { '/proc/self/mountinfo': '', '/proc/swaps': '', ...files };
  for (const [name, text] of Object.entries(texts)) {
    const full = path.join(root, name);
    fs.mkdirSync(path.dirname(full), { recursive: true });
    fs.writeFileSync(full, text);
  }
  const there = (name: fs.PathLike): string =>
    /^\/(sys|proc)\//u.test(String(name)) ? `${root}${String(name)}` : String(name);
  const { readFileSync, readdirSync, existsSync, realpathSync, statSync } = fs;
  t.mock.method(fs, 'readFileSync', (name: string) => readFileSync(there(name), 'utf8'));
  t.mock.method(fs, 'readdirSync', (name: string) => readdirSync(there(name)));
  t.mock.method(fs, 'existsSync', (name: string) => existsSync(there(name)));
  t.mock.method(fs, 'realpathSync', (name: string) => realpathSync(there(name)));
  t.mock.method(fs, 'statSync', (name: string, options: fs.StatSyncOptions) => {
    const rdev = nodes.get(name);
    return rdev === undefined
      ? statSync(there(name), options)
      : { rdev, isBlockDevice: (): boolean => true };
  });
  return root;
}

/** A disk with two partitions, and another disk. */
function disks(t: TestContext, more: Readonly<Record<string, string>>): void {
  const root = kernelSays(t, {
    '/sys/devices/sda/dev': '8:0\n',
    '/sys/devices/sda/size': '2048\n',
    '/sys/devices/sda/sda1/dev': '8:1\n',
    '/sys/devices/sda/sda1/partition': '1\n',
    '/sys/devices/sda/sda2/dev': '8:2\n',
    '/sys/devices/sda/sda2/size': '1024\n',
    '/sys/devices/sda/sda2/partition': '2\n',
    '/sys/devices/sdb/dev': '8:16\n',
    '/sys/dev/block/none': '',
    ...more,
  });
  for (const [number, folder] of Object.entries({
    '8:0': 'sda',
    '8:2': 'sda/sda2',
    '8:16': 'sdb',
  })) {
    fs.symlinkSync(`../../devices/${folder}`, `${root}/sys/dev/block/${number}`);
  }
}

const used = (number: string): string | undefined => blockDevice(number).usedAs;

test('[SAFE-05] a device of which nothing is used is nobody’s, and as large as the kernel says', (t) => {
  disks(t, {});
  assert.deepEqual(blockDevice('8:0'), { sizeBytes: 2 ** 20, readOnly: false, usedAs: undefined });
});

test('[SAFE-05] a disk is used when a partition of it is mounted, and a partition when its disk is', (t) => {
  const mount = (number: string): string => `36 35 ${number} / /home rw - ext4 /dev/x rw`;
  disks(t, { '/proc/self/mountinfo': mount('8:1') });
  assert.equal(used('8:0'), 'sda1 is mounted on /home');
  assert.equal(used('8:2'), undefined, 'another partition of the same disk');
  t.mock.restoreAll();
  disks(t, { '/proc/self/mountinfo': mount('8:0') });
  assert.equal(used('8:2'), 'sda is mounted on /home');
});

test('[SAFE-05] a device is used that the mount’s source names, where its file system hides the number', (t) => {
  disks(t, { '/proc/self/mountinfo': '37 35 0:44 / /btrfs rw - btrfs /dev/sdb rw' });
  assert.equal(used('8:16'), 'sdb is mounted on /btrfs');
  assert.equal(used('8:0'), undefined);
});

test('[SAFE-05] swap space, and what volumes are made of, is used', (t) => {
  disks(t, {
    '/proc/swaps': 'Filename Type Size Used Priority\n/dev/sda2 partition 8388604 0 -2\n',
    '/sys/devices/sdb/holders/dm-0': '',
  });
  assert.equal(used('8:2'), 'sda2 is swap space');
  assert.equal(used('8:0'), 'sda2 is swap space');
  assert.equal(used('8:16'), 'sdb is part of dm-0');
});

test('[SAFE-05] a file is the image of a loop device only with that one’s device and inode', (t) => {
  const root = kernelSays(t, { '/sys/block/sda/size': '' });
  const image = path.join(root, 'image');
  fs.writeFileSync(image, '');
  fs.mkdirSync(`${root}/sys/block/loop7/loop`, { recursive: true });
  fs.writeFileSync(`${root}/sys/block/loop7/loop/backing_file`, `${image}\n`);
  const { dev, ino } = fs.lstatSync(image, { bigint: true });
  assert.equal(imageOf({ dev, ino }), 'it is the image of loop7');
  assert.equal(imageOf({ dev: dev + 1n, ino }), undefined);
  assert.equal(imageOf({ dev, ino: ino + 1n }), undefined);
});
