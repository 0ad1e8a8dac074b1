import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  decodeHeader,
  encodeSpoolRecord,
  spoolRecords,
} from '../../../../../src/agent/shell/spool/records.js';

const contents = fc.array(fc.uint8Array({ maxLength: 40 }), { minLength: 1, maxLength: 8 });

function read(file: Buffer): { contents: number[][]; damaged: number } {
  const records = [...spoolRecords(file)];
  return {
    contents: records.flatMap((record) => ('content' in record ? [[...record.content]] : [])),
    damaged: records.filter((record) => 'damaged' in record).length,
  };
}

test('[LINK-06] what was written to a spool is read in the same order', () => {
  fc.assert(
    fc.property(contents, (all) => {
      const file = Buffer.concat(all.map(encodeSpoolRecord));
      assert.deepEqual(read(file), { contents: all.map((one) => [...one]), damaged: 0 });
    }),
  );
});

test('[LINK-06] a record that was torn by a crash costs itself only', () => {
  fc.assert(
    fc.property(contents, fc.nat(), (all, cut) => {
      const whole = all.map(encodeSpoolRecord);
      const last = whole.at(-1) ?? Buffer.alloc(0);
      const torn = 1 + (cut % (last.length - 1));
      const file = Buffer.concat([...whole.slice(0, -1), last.subarray(0, torn)]);
      const before = all.slice(0, -1).map((one) => [...one]);
      assert.deepEqual(read(file), { contents: before, damaged: 1 });
    }),
  );
});

test('[LINK-06] a damaged byte anywhere never invents a record, and costs one at most', () => {
  fc.assert(
    fc.property(contents, fc.nat(), fc.integer({ min: 1, max: 255 }), (all, at, flip) => {
      const file = Buffer.concat(all.map(encodeSpoolRecord));
      const place = at % file.length;
      file.writeUInt8(file.readUInt8(place) ^ flip, place);
      const found = read(file);
      const written = all.map((one) => [...one].join());
      assert.equal(found.damaged, 1);
      assert.equal(found.contents.length, all.length - 1);
      for (const one of found.contents) assert.ok(written.includes(one.join()));
    }),
  );
});

test('a header that is not one is none', () => {
  const header = {
    ...{ schema: 1, runId: 'a', secretSha256: 'b', identity: 'c', instanceId: 'd' },
  };
  const decode = (value: unknown): unknown => decodeHeader(Buffer.from(JSON.stringify(value)));
  assert.deepEqual(decode(header), header);
  for (const bad of [null, 7, { ...header, schema: 2 }, { ...header, runId: 7 }, 'x']) {
    assert.equal(decode(bad), undefined);
  }
  assert.equal(decodeHeader(Buffer.from('{')), undefined);
});
