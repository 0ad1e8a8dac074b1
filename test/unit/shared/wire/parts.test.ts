import assert from 'node:assert/strict';
import test from 'node:test';
import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { DecodeError } from '../../../../src/shared/wire/decode-error.js';
import { inflatedLimitBytes, pack, unpack } from '../../../../src/shared/wire/compression.js';
import { HeldRanges } from '../../../../src/shared/wire/held-ranges.js';
import { LaneOrder, patience, sources } from '../../../../src/shared/wire/lanes.js';
import type { Source } from '../../../../src/shared/wire/lanes.js';
import { messageLimitBytes, Reassembly } from '../../../../src/shared/wire/reassembly.js';
import { noise } from '../../../support/sample-messages.js';

test('[LINK-09] payloads are deflated when that makes them smaller, and come back the same', () => {
  const repetitive = Buffer.alloc(20_000, 'muster');
  assert.equal(pack(repetitive).encoding, 'DEFLATE');
  assert.ok(pack(repetitive).payload.length < 500);
  assert.equal(pack(Buffer.alloc(1024)).encoding, 'PLAIN', 'short payloads are left alone');
  assert.equal(pack(Buffer.alloc(1025)).encoding, 'DEFLATE');
  assert.equal(pack(noise(5000)).encoding, 'PLAIN', 'noise does not become smaller');
  for (const plain of [repetitive, noise(5000), new Uint8Array()]) {
    assert.deepEqual(Buffer.from(unpack(pack(plain))), Buffer.from(plain));
  }
});

test('[PERF-07] what is kept of a deflated or inflated payload keeps no more memory than its bytes', () => {
  const packed = pack(Buffer.alloc(5000, 'muster'));
  assert.equal(packed.encoding, 'DEFLATE');
  assert.equal(packed.payload.buffer.byteLength, packed.payload.length);
  const plain = unpack(packed);
  assert.deepEqual([plain.length, plain.buffer.byteLength], [5000, 5000]);
});

test('[LINK-09] a payload that inflates beyond the limit is refused, and so is one that does not inflate', () => {
  const bomb = deflateRawSync(Buffer.alloc(inflatedLimitBytes + 1));
  assert.ok(bomb.length < 10_000);
  assert.throws(() => unpack({ encoding: 'DEFLATE', payload: bomb }), {
    name: 'DecodeError',
    message: 'payload inflates beyond 8388608 bytes',
  });
  assert.throws(
    () => unpack({ encoding: 'DEFLATE', payload: Uint8Array.of(1, 2, 3) }),
    /does not inflate/,
  );
});

test('[LINK-09] whatever is inflated, nothing but a DecodeError comes out', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (payload) => {
      try {
        unpack({ encoding: 'DEFLATE', payload });
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
      }
    }),
  );
});

test('held ranges are joined, and cover exactly what was added', () => {
  const range = fc.record(
    { stage: fc.integer({ min: 0, max: 1 }), first: fc.nat(60), length: fc.nat(8) },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(fc.array(range, { maxLength: 25 }), (ranges) => {
      const held = new HeldRanges();
      const model = new Set<string>();
      for (const { stage, first, length } of ranges) {
        held.add({ stage, first, last: first + length });
        for (let second = first; second <= first + length; second += 1) {
          model.add(`${stage}/${second}`);
        }
      }
      for (let second = 0; second < 80; second += 1) {
        for (const stage of [0, 1]) {
          const covered = held.covers({ stage, first: second, last: second });
          assert.equal(covered, model.has(`${stage}/${second}`));
        }
      }
      const list = held.list();
      const sizes = list.reduce((sum, { first, last }) => sum + last - first + 1, 0);
      assert.equal(sizes, model.size, 'ranges do not overlap');
      for (const [index, { stage, first }] of list.entries()) {
        const before = list[index - 1];
        if (before?.stage === stage) assert.ok(before.last + 1 < first, 'ranges do not touch');
      }
      assert.deepEqual(new HeldRanges(list).list(), list);
    }),
  );
});

test('[LINK-10] the most urgent lane goes first', () => {
  const order = new LaneOrder();
  const ready = new Set<Source>(['live', 'critical', 'normal']);
  assert.equal(order.choose(ready), 'critical');
  assert.equal(order.choose(new Set()), undefined);
});

test('[LINK-10] no lane waits for ever: each has its turn although critical never ends', () => {
  const order = new LaneOrder();
  const ready = new Set<Source>(sources);
  const taken: Source[] = [];
  for (let turn = 0; turn < 10 * patience; turn += 1) {
    const source = order.choose(ready);
    assert.ok(source);
    order.took(source, ready);
    taken.push(source);
  }
  for (const source of sources) assert.ok(taken.includes(source), source);
  const critical = taken.filter((source) => source === 'critical').length;
  assert.ok(critical > taken.length * 0.75, 'and critical still has most of it');
});

test('chunks of interleaved transfers are put together, each at its last piece', () => {
  const reassembly = new Reassembly();
  const chunk = (transfer: number, index: number, data: string) => ({
    ...{ kind: 'chunk' as const, transfer, index, count: 2 },
    data: Buffer.from(data),
  });
  assert.equal(reassembly.add(chunk(1, 0, 'ab')), undefined);
  assert.equal(reassembly.add(chunk(2, 0, 'xy')), undefined);
  assert.deepEqual(reassembly.add(chunk(2, 1, 'z')), Buffer.from('xyz'));
  assert.deepEqual(reassembly.add(chunk(1, 1, 'c')), Buffer.from('abc'));
});

test('a chunk that does not fit its transfer, or a transfer beyond 64 MiB, is a decode error', () => {
  const add = (fields: { index?: number; count?: number; bytes?: number }) => () =>
    new Reassembly().add({
      kind: 'chunk',
      transfer: 1,
      index: fields.index ?? 0,
      count: fields.count ?? 2,
      data: new Uint8Array(fields.bytes ?? 1),
    });
  assert.throws(add({ index: 1 }), DecodeError);
  assert.throws(add({ count: 0 }), DecodeError);
  assert.throws(add({ bytes: 16 * 1024 + 1 }), DecodeError);
  assert.throws(add({ count: messageLimitBytes / 16_384 + 1 }), /larger than/);
});

test('finished transfers do not count against the limit', () => {
  const reassembly = new Reassembly();
  const data = Uint8Array.of(1);
  for (let transfer = 0; transfer < messageLimitBytes / 16_384; transfer += 1) {
    reassembly.add({ kind: 'chunk', transfer, index: 0, count: 2, data });
    assert.ok(reassembly.add({ kind: 'chunk', transfer, index: 1, count: 2, data }));
  }
});

test('unfinished transfers together stay below 64 MiB', () => {
  const reassembly = new Reassembly();
  const most = messageLimitBytes / 16_384;
  const start = (transfer: number) =>
    reassembly.add({ kind: 'chunk', transfer, index: 0, count: 2, data: new Uint8Array(1) });
  for (let transfer = 0; transfer < most; transfer += 1) start(transfer);
  assert.throws(() => start(most), /larger than/);
});
