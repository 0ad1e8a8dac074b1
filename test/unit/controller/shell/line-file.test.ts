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

/** A copy, whose type no assertion narrows. */
function told(lines: readonly string[]): string[] {
  return [...lines];
}

/** Lets the promises of writes that need no time settle. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

test('[RES-03] lines are written as they come, and flushed to disk at most once a second', async () => {
  const clock = new ManualClock();
  const disk = new FakeDisk();
  const file = new LineFile(disk, clock);
  file.append('one');
  file.append('two');
  assert.deepEqual(disk.written, []);
  clock.advance(25);
  await settle();
  assert.deepEqual(disk.written, ['one\ntwo\n']);
  assert.equal(disk.synced, 0);
  clock.advance(500);
  file.append('three');
  clock.advance(25);
  await settle();
  assert.deepEqual(disk.written, ['one\ntwo\n', 'three\n']);
  clock.advance(474);
  await settle();
  assert.equal(disk.synced, 0);
  clock.advance(1);
  await settle();
  assert.equal(disk.synced, 1);
  clock.advance(10_000);
  await settle();
  assert.equal(disk.synced, 1, 'nothing new: nothing to flush');
  await file.close();
  assert.equal(clock.armed, 0);
});

test('[RUN-10] who waits for what is written hears when it is in the file, not before', async () => {
  const clock = new ManualClock();
  const disk = new FakeDisk();
  const file = new LineFile(disk, clock);
  const safe: string[] = [];
  file.whenWritten(() => safe.push('nothing'));
  assert.deepEqual(told(safe), ['nothing'], 'nothing was appended');
  disk.hold = true;
  file.append('one');
  file.whenWritten(() => safe.push('one'));
  clock.advance(25);
  await settle();
  file.whenWritten(() => safe.push('one again'));
  file.append('two');
  file.whenWritten(() => safe.push('two'));
  assert.deepEqual(told(safe), ['nothing']);
  disk.finish();
  await settle();
  assert.deepEqual(disk.written, ['one\n', 'two\n']);
  assert.deepEqual(told(safe), ['nothing', 'one', 'one again', 'two']);
  await file.close();
});

test('[RUN-18] the disk is not called slow when it was this process that slept', async () => {
  const clock = new ManualClock();
  const disk = new FakeDisk();
  const file = new LineFile(disk, clock);
  let stalls = 0;
  file.onStall = () => (stalls += 1);
  disk.hold = true;
  file.append('one');
  clock.advance(25);
  clock.sleep(8000);
  disk.finish();
  await settle();
  clock.advance(500);
  assert.equal(stalls, 0);
  assert.deepEqual(disk.written, ['one\n']);
  await file.close();
  assert.equal(clock.armed, 0);
});

test('a disk that stands still keeps nobody waiting: after 2 s it is said, and nobody waits until it goes on', async () => {
  const clock = new ManualClock();
  const disk = new FakeDisk();
  const file = new LineFile(disk, clock);
  const safe: string[] = [];
  let stalls = 0;
  file.onStall = () => (stalls += 1);
  disk.hold = true;
  file.append('one');
  clock.advance(25);
  file.whenWritten(() => safe.push('one'));
  clock.advance(1999);
  assert.deepEqual(told(safe), []);
  clock.advance(1);
  assert.deepEqual(told(safe), ['one']);
  file.append('two');
  file.whenWritten(() => safe.push('two'));
  assert.deepEqual(told(safe), ['one', 'two']);
  assert.equal(stalls, 1);
  disk.finish();
  await settle();
  disk.hold = true;
  file.append('three');
  file.whenWritten(() => safe.push('three'));
  assert.deepEqual(told(safe), ['one', 'two'], 'it answers again, so it is waited for');
  clock.advance(25);
  disk.finish();
  await settle();
  assert.deepEqual(told(safe), ['one', 'two', 'three']);
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
  let waits = true;
  file.whenWritten(() => (waits = false));
  clock.advance(1000);
  await settle();
  assert.equal(waits, false);
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
