import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareSummary } from '../../../../src/controller/core/prepare-summary.js';

const of = (files: number, kept: number, tookNs: number) => ({
  prepared: { files, bytes: files * 1000, kept, tookNs },
});

test('[RES-05] what agents prepared is added up, in the time of the one that took longest', () => {
  assert.deepEqual(prepareSummary([of(10, 2, 4e9), of(20, 3, 2e9), { prepared: undefined }]), {
    agents: 2,
    files: 30,
    bytes: 30_000,
    files_kept: 5,
    seconds: 4,
    files_per_second: 7.5,
    bytes_per_second: 7500,
  });
});

test('[RES-05] of a dataset that nobody has prepared there is nothing; in no time there is no rate', () => {
  assert.equal(prepareSummary([{ prepared: undefined }]), null);
  assert.equal(prepareSummary([of(1, 0, 0)])?.files_per_second, 0);
});
