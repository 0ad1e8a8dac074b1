import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { OperationStats } from '../../../../src/shared/model/messages.js';
import type { JournalRecord } from '../../../../src/controller/core/records.js';
import { decodeRecord, encodeRecord } from '../../../../src/controller/shell/journal-codec.js';
import { sampleRun } from '../../../support/recorded-run.js';

/** What JSON leaves out anyway. */
function withoutUndefined(record: JournalRecord): unknown {
  return structuredClone(
    Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)),
  );
}

test('every record of a run comes back from its line as it was', () => {
  const seen = new Set<string>();
  for (const record of sampleRun()) {
    if (record.type === 'run') continue;
    seen.add(record.type);
    assert.deepEqual(decodeRecord(encodeRecord(record)), withoutUndefined(record));
  }
  for (const type of ['clock', 'stageStart', 'interval', 'stageResult', 'end']) {
    assert.ok(seen.has(type), type);
  }
});

test('[RUN-14] 64-bit times and histogram bytes are exact', () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
      fc.uint8Array({ maxLength: 100 }),
      fc.boolean(),
      (time, bytes, pooled) => {
        // A message from the wire has its bytes in a part of a larger buffer.
        const service = pooled ? Buffer.concat([Buffer.alloc(7), bytes]).subarray(7) : bytes;
        const empty = new Uint8Array();
        const stats: OperationStats = {
          operation: 'read',
          count: 1,
          bytes: 1,
          errors: [{ code: 'EIO', count: 1 }],
          missedSchedules: 0,
          unissuedSchedules: 0,
          service,
          response: empty,
          failed: empty,
        };
        const record: JournalRecord = {
          type: 'stageResult',
          atMs: 1.25,
          agent: 1,
          result: {
            stage: 0,
            endedBy: 'duration',
            atNs: time,
            firstOperationNs: time,
            lastOperationNs: time,
            intervals: 1,
            abandoned: 0,
            operations: [stats],
            mechanism: '',
            warmup: [stats],
            warnings: [],
            endedNs: time,
            syncs: service,
          },
        };
        const back = decodeRecord(encodeRecord(record));
        assert.ok(back.type === 'stageResult');
        assert.equal(back.result.atNs, time);
        assert.equal(back.result.endedNs, time);
        assert.deepEqual([...back.result.syncs], [...bytes]);
        for (const [found] of [back.result.operations, back.result.warmup]) {
          assert.deepEqual([...(found?.service ?? [])], [...bytes]);
        }
      },
    ),
  );
});

test('[RES-04] a stage result in a journal of an older version, without endedNs and syncs, is read: the one is not known, of the others there were none', () => {
  const record = sampleRun().find(({ type }) => type === 'stageResult');
  assert.ok(record);
  const line = encodeRecord(record)
    .replace(/"endedNs":"\d+",?/, '')
    .replace(/"syncs":"",?/, '')
    .replace(',}', '}');
  assert.ok(!/endedNs|syncs/.test(line));
  const back = decodeRecord(line);
  assert.ok(back.type === 'stageResult');
  assert.equal(back.result.endedNs, 0n);
  assert.equal(back.result.syncs.length, 0);
});

test('what is not a record is refused, not taken for one', () => {
  for (const line of ['', '{', 'null', '[]', '{"atMs":1}', '{"type":"interval","atMs":1}']) {
    assert.throws(() => decodeRecord(line), line);
  }
  assert.throws(() => decodeRecord('{"type":"stageStart","atMs":1,"t0Ns":17}'), TypeError);
});
