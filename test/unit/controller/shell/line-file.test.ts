import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineFile } from '../../../../src/controller/shell/line-file.js';
import { ManualClock } from '../../../support/manual-clock.js';

/** A disk whose writes finish when told to, or fail. */
class FakeDisk {
  readonly written: string[] = [];
  synced = 0;
  closed = false;
  failWith: Error | undefined;
  #finish: (() => void) | undefined;
  hold = false;

  async appendFile(text: string): Promise<void> {
    if (this.hold) await new Promise<void>((resolve) => (this.#finish = resolve));
    if (this.failWith) throw this.failWith;
    this.written.push(text);
  }

  datasync(): Promise<void> {
    this.synced += 1;
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  finish(): void {
    this.hold = false;
    this.#finish?.();
  }
}

function noSpace(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}

/** Lets the promises of writes that need no time settle. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

test('[RES-03] lines are written and flushed to disk together, at most once a second', async () => {
  const clock = new ManualClock();
  const disk = new FakeDisk();
  const file = new LineFile(disk, clock);
  file.append('one');
  file.append('two');
  clock.advance(999);
  await settle();
  assert.deepEqual(disk.written, []);
  clock.advance(1);
  await settle();
  assert.deepEqual(disk.written, ['one\ntwo\n']);
  assert.equal(disk.synced, 1);
  file.append('three');
  await settle();
  assert.equal(disk.written.length, 1);
  clock.advance(1000);
  await settle();
  assert.deepEqual(disk.written, ['one\ntwo\n', 'three\n']);
  await file.close();
  assert.equal(clock.armed, 0);
});

test('closing writes what is pending, also behind a write under way', async () => {
  const clock = new ManualClock();
  const disk = new FakeDisk();
  const file = new LineFile(disk, clock);
  file.append('first');
  disk.hold = true;
  clock.advance(1000);
  file.append('second');
  const closed = file.close();
  await settle();
  assert.equal(disk.closed, false);
  disk.finish();
  await closed;
  assert.deepEqual(disk.written, ['first\n', 'second\n']);
  assert.equal(disk.closed, true);
  assert.equal(clock.armed, 0);
});

test('[RUN-18] the first failure is kept and told once, and nothing more is written', async () => {
  const clock = new ManualClock();
  const disk = new FakeDisk();
  const file = new LineFile(disk, clock);
  const told: Error[] = [];
  file.onFailure = (failure) => told.push(failure);
  disk.failWith = noSpace();
  file.append('lost');
  clock.advance(1000);
  await settle();
  assert.equal(file.failure, disk.failWith);
  disk.failWith = undefined;
  file.append('late');
  clock.advance(1000);
  await file.close();
  assert.deepEqual(disk.written, []);
  assert.equal(told.length, 1);
});

test('a disk that stands still costs bounded memory, and is a failure in the end', async () => {
  const clock = new ManualClock();
  const disk = new FakeDisk();
  const file = new LineFile(disk, clock);
  disk.hold = true;
  file.append('first');
  clock.advance(1000);
  await settle();
  const mebibyte = 'x'.repeat(2 ** 20);
  for (let line = 0; line < 60; line++) file.append(mebibyte);
  const failure = (): Error | undefined => file.failure;
  assert.equal(failure(), undefined);
  for (let line = 0; line < 10; line++) file.append(mebibyte);
  assert.match(failure()?.message ?? '', /too slow/);
  disk.finish();
  await file.close();
  assert.deepEqual(disk.written, ['first\n']);
});
