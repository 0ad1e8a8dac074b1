import assert from 'node:assert/strict';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { checkTarget } from '../../../../src/agent/runner/check-target.js';
import { writeMarker } from '../../../../src/agent/runner/dataset-files.js';
import { assignmentOf } from '../../../support/runner-process.js';
import { filesBelow, temporaryFolder } from '../../../support/temporary-folder.js';

type Fields = NonNullable<Parameters<typeof assignmentOf>[2]>;

describe('what check says of a target that a run would refuse', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => (folder = temporaryFolder()));
  afterEach(() => {
    folder.remove();
  });

  /** Asserts that looking has left all as it was. */
  function look(fields: Fields = {}) {
    const before = filesBelow(folder.path);
    const limits = { roots: [], consent: { existing: false, devices: false, dropCaches: false } };
    const report = checkTarget(assignmentOf(folder.path, [], { mode: 'check', ...fields }), limits);
    assert.deepEqual(filesBelow(folder.path), before);
    return report;
  }

  function mark(hash: string): void {
    const marker = { product: 'muster', version: 1, creator: 'me', runId: 'r' } as const;
    fs.mkdirSync(`${folder.path}/ds1/0`, { recursive: true });
    writeMarker(`${folder.path}/ds1/0`, { ...marker, hash, namespace: 'private', agents: 1 });
  }

  it('[CLI-01] nothing of a target that is free, or has the dataset', () => {
    assert.deepEqual(look().problems, []);
    mark('a1b2c3');
    assert.deepEqual(look().problems, []);
    assert.equal(look().dataset, 'same');
  });

  it('[CLI-01] [SAFE-01] too little space for the dataset', () => {
    const fileSizeBytes = 2 ** 50;
    const large = { dataset: { fileSizeBytes } };
    assert.match(look(large).problems.join(), /^the dataset needs 8\.0 PiB more on .* free$/);
    mark('a1b2c3');
    assert.match(look(large).problems.join(), /^the dataset needs 8\.0 PiB more on .* free$/);
    // In a shared namespace the files of all agents are made in one place.
    const part = { own: { from: 0, to: 0 }, use: { from: 0, to: 8 } };
    const shared = {
      namespace: 'shared',
      dataset: { name: 'ds2', fileSizeBytes, ...part },
    } as const;
    assert.match(look(shared).problems.join(), /^the dataset needs 8\.0 PiB more/);
  });

  it('[CLI-01] [SAFE-02] foreign files in the folder of the dataset, or beside those of the agents', () => {
    fs.mkdirSync(`${folder.path}/ds1/0`, { recursive: true });
    fs.writeFileSync(`${folder.path}/ds1/0/mine`, '');
    assert.match(look().problems.join(), /ds1\/0 is not empty \(mine\) and was not made by Muster/);
    fs.writeFileSync(`${folder.path}/ds1/thesis-2`, '');
    assert.match(look().problems.join(), /ds1 is not empty \(thesis-2\) and was not made by Mus/);
  });

  it('[CLI-01] [SAFE-01] another dataset', () => {
    mark('other');
    const { problems, dataset } = look();
    assert.match(
      problems.join(),
      /holds another dataset \(hash other, made by me for 1 agent\) .* \(hash a1b2c3, 1 agent\)/,
    );
    assert.equal(dataset, 'other');
  });

  it('[CLI-01] [SAFE-02] a link or a file in the place of the folder', () => {
    fs.mkdirSync(`${folder.path}/elsewhere`);
    fs.symlinkSync(`${folder.path}/elsewhere`, `${folder.path}/ds1`);
    assert.match(look().problems.join(), /ds1 exists and is not a folder/);
    fs.writeFileSync(`${folder.path}/ds2`, '');
    const file = { namespace: 'shared', dataset: { name: 'ds2' } } as const;
    assert.match(look(file).problems.join(), /ds2 exists and is not a folder/);
  });

  it('[CLI-01] [SAFE-02] a link in the place of the marker', () => {
    mark('a1b2c3');
    const marker = `${folder.path}/ds1/0/.muster-dataset.json`;
    fs.renameSync(marker, `${folder.path}/theirs`);
    fs.symlinkSync(`${folder.path}/theirs`, marker);
    assert.match(look().problems.join(), /cannot read .*muster-dataset\.json.*ELOOP/);
  });
});
