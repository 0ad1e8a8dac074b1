import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { Assignment, StageAssignment } from '../../../../src/shared/model/assignment.js';
import { noConsent } from '../../../../src/agent/core/given-guard.js';
import { loopDevice } from '../../../support/loop-device.js';
import { RunnerProcess, assignmentOf, stageOf } from '../../../support/runner-process.js';
import { filesBelow, temporaryFolder } from '../../../support/temporary-folder.js';

const readOnly = { existing: true, devices: false, dropCaches: false };
const writable = { existing: false, devices: true, dropCaches: false };
const MiB = 1024 ** 2;

const once = { durationMs: undefined, access: 'sequential', threads: 3 } as const;
const write = stageOf({ ...once, mix: [{ operation: 'write', weight: 1 }] });

describe('runner on what was there before', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  const runners: RunnerProcess[] = [];

  beforeEach(() => {
    folder = temporaryFolder();
  });
  afterEach(async () => {
    await Promise.all(runners.splice(0).map((runner) => runner.kill()));
    folder.remove();
  });

  function runner(): RunnerProcess {
    const one = new RunnerProcess();
    runners.push(one);
    return one;
  }

  function assignment(
    kind: 'existing' | 'devices',
    paths: readonly string[],
    stages: readonly StageAssignment[] = [stageOf({ durationMs: 50 })],
  ): Assignment {
    const range = { from: 0, to: paths.length };
    const dataset = { given: { kind, paths }, own: { from: 0, to: 0 }, use: range };
    return assignmentOf('file:', stages, { dataset });
  }

  async function refusal(one: Assignment, consent = writable, roots: readonly string[] = []) {
    const process = runner();
    process.prepare(one, roots, consent);
    const { code, message } = await process.failure();
    return `${code}: ${message}`;
  }

  function file(name: string, bytes: number): string {
    const full = path.join(folder.path, name);
    fs.writeFileSync(full, Buffer.alloc(bytes, 7));
    return full;
  }

  it('[SAFE-05] does nothing to existing files without consent, not even say whether they are there', async () => {
    const there = await refusal(assignment('existing', [file('a', MiB)]), noConsent);
    const absent = await refusal(assignment('existing', ['/nowhere/at/all']), noConsent);
    assert.match(there, /^permission: .*start it with --allow-existing/u);
    assert.equal(absent, there);
    const writing = await refusal(assignment('existing', [file('a', MiB)], [write]), readOnly);
    assert.match(writing, /^permission: .*start it with --allow-devices/u);
    const stages = [stageOf({ durationMs: 50 }), { ...write, name: 'later' }];
    const later = await refusal(assignment('existing', [file('a', MiB)], stages), readOnly);
    assert.equal(later, writing, 'also when only a later stage writes');
    assert.ok(fs.readFileSync(path.join(folder.path, 'a')).every((byte) => byte === 7));
  });

  it('[SAFE-05] writes every whole block of existing files of any sizes once, and nothing else: not truncated, extended or removed', async () => {
    const sizes = [10_000, 4096, 81_920];
    const paths = sizes.map((bytes, i) => file(`f${String(i)}`, bytes));
    const blocks = 2 + 1 + 20;
    const [result] = await (async () => {
      const one = runner();
      const results = await one.run(
        assignment('existing', paths, [{ ...write, maxOperations: blocks }]),
        writable,
      );
      one.tell({ kind: 'cleanup' });
      assert.deepEqual((await one.event('cleaned')).warnings, []);
      return results;
    })();
    assert.equal(result?.operations[0]?.count, blocks);
    assert.deepEqual(filesBelow(folder.path), ['f0', 'f1', 'f2'], 'nothing was made or removed');
    for (const [i, name] of paths.entries()) {
      const content = fs.readFileSync(name);
      assert.equal(content.length, sizes[i]);
      for (let at = 0; at + 4096 <= content.length; at += 4096) {
        assert.ok(
          !content.subarray(at, at + 4096).every((byte) => byte === 7),
          `${name} ${String(at)}`,
        );
      }
      const rest = content.subarray(content.length - (content.length % 4096));
      assert.ok(
        rest.every((byte) => byte === 7),
        'the rest is left alone',
      );
    }
  });

  it('[SAFE-05] reads existing files and leaves them as they are', async () => {
    const paths = [file('a', MiB), file('b', 8192)];
    const read = stageOf({ ...once, maxOperations: 500, access: 'random' });
    const stat = stageOf({ ...once, maxOperations: 10, mix: [{ operation: 'stat', weight: 1 }] });
    const results = await runner().run(assignment('existing', paths, [read, stat]), readOnly);
    assert.equal(results[0]?.operations[0]?.bytes, 500 * 4096);
    assert.equal(results[1]?.operations[0]?.count, 10);
    assert.ok(fs.readFileSync(paths[0] ?? '').every((byte) => byte === 7));
  });

  it('[SAFE-04] follows links before it judges, and stays in its roots', async () => {
    const link = (to: string): string => {
      const name = path.join(folder.path, `link-${path.basename(to)}`);
      fs.symlinkSync(to, name);
      return name;
    };
    assert.match(
      await refusal(assignment('existing', [link('/etc/passwd')])),
      /^target: .*link-passwd \(\/etc\/passwd\) is refused: \/etc and everything/u,
    );
    assert.match(
      await refusal(assignment('existing', [link('/dev/null')])),
      /neither a regular file/u,
    );
    fs.mkdirSync(path.join(folder.path, 'inside'));
    const outside = file('outside', MiB);
    assert.match(
      await refusal(assignment('existing', [outside]), writable, [
        path.join(folder.path, 'inside'),
      ]),
      /outside is outside of what this agent allows \(--root /u,
    );
    assert.match(
      await refusal(assignment('existing', [path.join(folder.path, 'no')])),
      /no does not exist on this agent/u,
    );
  });

  it('[SAFE-05] refuses what is empty, named twice, or smaller than a block', async () => {
    const a = file('a', MiB);
    fs.linkSync(a, path.join(folder.path, 'same'));
    assert.match(await refusal(assignment('existing', [file('none', 0)])), /none is empty/u);
    assert.match(
      await refusal(assignment('existing', [a, path.join(folder.path, 'same')])),
      /^config: dataset\.existing names .*same twice/u,
    );
    assert.match(
      await refusal(assignment('existing', [a, file('small', 100)])),
      /^config: .*block_size \(4096\) is larger than .*small \(100 bytes\)/u,
    );
    assert.match(await refusal(assignment('devices', [a])), /name it in dataset\.existing/u);
    // That of a stage without blocks does not matter.
    const stat = stageOf({ mix: [{ operation: 'stat', weight: 1 }], ...once, maxOperations: 6 });
    const small = path.join(folder.path, 'small');
    const [result] = await runner().run(assignment('existing', [a, small], [stat]), readOnly);
    assert.equal(result?.operations[0]?.count, 6);
  });

  it('[SAFE-05] a file that is exchanged after it was judged is not written', async () => {
    const a = file('a', MiB);
    const one = runner();
    const two = { ...write, name: 'second', maxOperations: 1 };
    one.prepare(assignment('existing', [a], [{ ...write, maxOperations: 1 }, two]), [], writable);
    await one.event('ready');
    // The workers of the first stage have theirs open; those of the second find another one.
    fs.renameSync(a, `${a}-away`);
    file('a', MiB);
    await one.start(0);
    const { message } = await one.failure();
    assert.match(message, /a was exchanged for another file/u);
    assert.ok(fs.readFileSync(a).every((byte) => byte === 7));
  });

  it('[SAFE-05] a file that was made shorter after it was judged is not extended', async () => {
    const a = file('a', MiB);
    const one = runner();
    const two = { ...write, name: 'second', maxOperations: 256 };
    one.prepare(assignment('existing', [a], [{ ...write, maxOperations: 1 }, two]), [], writable);
    await one.event('ready');
    fs.truncateSync(a, 8192);
    await one.start(0);
    const { message } = await one.failure();
    assert.match(message, /a was made shorter during the run: 8192 of 1048576 bytes are left/u);
    assert.equal(fs.statSync(a).size, 8192);
  });

  it('[SAFE-05] the image of a loop device may be read, never written', async (t) => {
    const image = path.join(folder.path, 'image');
    const device = loopDevice(t, image, MiB);
    if (device === undefined) return;
    fs.writeFileSync(image, Buffer.alloc(MiB, 7), { flag: 'r+' });
    assert.match(
      await refusal(assignment('existing', [image], [{ ...write, maxOperations: 1 }])),
      /image is in use \(it is the image of loop\d+\): writing to it would destroy/u,
    );
    assert.ok(fs.readFileSync(image).every((byte) => byte === 7));
    const read = stageOf({ ...once, maxOperations: 10 });
    const [result] = await runner().run(assignment('existing', [image], [read]), readOnly);
    assert.equal(result?.operations[0]?.count, 10);
  });

  it('[SAFE-05] writes and reads a block device whole, by the size the kernel gives', async (t) => {
    const image = path.join(folder.path, 'image');
    const device = loopDevice(t, image, 3 * MiB);
    if (device === undefined) return;
    const whole = { ...write, blockSizeBytes: 65_536, maxBytes: 3 * MiB, direct: true };
    const read = stageOf({ ...once, maxOperations: 100, direct: true });
    const one = runner();
    const results = await one.run(assignment('devices', [device], [whole, read]), writable);
    assert.deepEqual(
      results.map(({ operations }) => operations[0]?.errors),
      [[], []],
    );
    assert.equal(results[0]?.operations[0]?.bytes, 3 * MiB);
    assert.ok(one.all('log').some(({ line }) => line === `overwrites ${device} (3MiB)`));
    execFileSync('blockdev', ['--flushbufs', device]);
    const content = fs.readFileSync(image);
    for (let at = 0; at < content.length; at += 4096) {
      assert.ok(
        content.subarray(at, at + 4096).some((byte) => byte !== 0),
        String(at),
      );
    }
    one.tell({ kind: 'cleanup' });
    await one.event('cleaned');
    assert.ok(fs.existsSync(device));
  });

  it('[SAFE-05] a read-only device may be read, never written', async (t) => {
    const device = loopDevice(t, path.join(folder.path, 'image'), MiB, '--read-only');
    if (device === undefined) return;
    assert.match(
      await refusal(assignment('devices', [device], [{ ...write, maxOperations: 1 }])),
      /^target: \/dev\/loop\d+ is read-only$/u,
    );
    const read = stageOf({ ...once, maxOperations: 10 });
    const [result] = await runner().run(assignment('devices', [device], [read]), readOnly);
    assert.equal(result?.operations[0]?.count, 10);
  });

  it('[SAFE-05] a mounted device may be read, never written; one that is written cannot be mounted meanwhile', async (t) => {
    const device = loopDevice(t, path.join(folder.path, 'image'), 8 * MiB);
    if (device === undefined) return;
    execFileSync('mkfs.ext4', ['-q', device], { stdio: 'pipe' });
    const point = path.join(folder.path, 'point');
    fs.mkdirSync(point);
    const mount = (): void => {
      execFileSync('mount', [device, point], { stdio: 'pipe' });
    };
    mount();
    try {
      assert.match(
        await refusal(assignment('devices', [device], [{ ...write, maxOperations: 1 }])),
        /in use \(loop\d+ is mounted on .*point\): writing to it would destroy/u,
      );
      const read = stageOf({ ...once, maxOperations: 10 });
      const [result] = await runner().run(assignment('devices', [device], [read]), readOnly);
      assert.equal(result?.operations[0]?.count, 10);
    } finally {
      execFileSync('umount', [point]);
    }
    const one = runner();
    one.prepare(assignment('devices', [device], [{ ...write, maxOperations: 1 }]), [], writable);
    await one.event('ready');
    assert.throws(mount, /busy|already mounted/u);
    assert.match(
      await refusal(assignment('devices', [device], [{ ...write, maxOperations: 1 }])),
      /in use by the system, by another run or by another agent of this one/u,
    );
  });
});
