import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EngineDefinition, StageOptions } from '../../../../src/agent/engines/engine.js';
import { engines } from '../../../../src/agent/engines/registry.js';
import { checkStages } from '../../../../src/agent/runner/check-stages.js';
import type { StageAssignment } from '../../../../src/shared/model/assignment.js';
import type { OperationKind } from '../../../../src/shared/model/operation.js';
import { assignmentOf, stageOf } from '../../../support/runner-process.js';

const [file] = engines;
assert.ok(file);

const mixOf = (operation: OperationKind) => [{ operation, weight: 1 }];

async function problem(
  stage: Partial<StageAssignment>,
  dataset: Parameters<typeof assignmentOf>[2] = {},
  engine: EngineDefinition<StageOptions> = file as EngineDefinition<StageOptions>,
): Promise<string> {
  try {
    await checkStages(assignmentOf('/mnt', [stageOf({ name: 's', ...stage })], dataset), engine);
    return 'none';
  } catch (error) {
    return String(error);
  }
}

describe('checkStages', () => {
  it('lets pass what can be done', async () => {
    assert.equal(await problem({}), 'none');
    assert.equal(await problem({ direct: true, blockSizeBytes: 65_536 }), 'none');
    const empty = { dataset: { use: { from: 0, to: 0 } } };
    assert.equal(await problem({ mix: mixOf('mkdir') }, empty), 'none', 'needs no files');
  });

  it('[ENG-02] refuses operations that the engine does not support, by name', async () => {
    const some = {
      ...file,
      supports: new Set(['read'] as const),
    };
    assert.match(
      await problem({ mix: [...mixOf('read'), ...mixOf('list')] }, {}, some),
      /stage "s": list cannot be done with file targets/u,
    );
  });

  it('refuses blocks larger than the files, and stages without files to work on', async () => {
    assert.match(await problem({ blockSizeBytes: 65_537 }), /block_size \(65537\) is larger than/u);
    assert.equal(await problem({ mix: mixOf('get'), blockSizeBytes: 2 ** 20 }), 'none');
    const empty = { dataset: { use: { from: 3, to: 3 } } };
    for (const kind of ['read', 'write', 'get', 'stat', 'list'] as const) {
      assert.match(await problem({ mix: mixOf(kind) }, empty), /no files/u, kind);
    }
  });

  it('[ENG-02] refuses an iodepth for more files than can be open, before the dataset is made', async () => {
    // No limit of open files is counted as more than 2^20.
    const dataset = { dataset: { use: { from: 0, to: 2 ** 20 } } };
    const many = /stage "s": iodepth above 1 needs all 1048576 files open in every thread.*ulimit/u;
    assert.match(await problem({ iodepth: 2 }, dataset), many);
    assert.equal(await problem({ iodepth: 1 }, dataset), 'none', 'opens them in turn');
  });

  it('[RUN-23] refuses blocks for which no file is large enough, although larger ones could have been drawn', async () => {
    const lognormal = { mean: 8192, sd: 1024, min: 4096, max: 2 ** 20 };
    const drawn = { dataset: { fileSizes: { lognormal }, fileSizeBytes: 2 ** 20 } };
    const none =
      /stage "s": no file of the dataset has room for a block of 512KiB; use a smaller block_size/u;
    for (const kind of ['read', 'write'] as const) {
      assert.match(await problem({ mix: mixOf(kind), blockSizeBytes: 2 ** 19 }, drawn), none);
    }
    const blockSizes = { read: 4096, write: 2 ** 19 };
    const both = { blockSizeBytes: 2 ** 19, blockSizes };
    assert.match(
      await problem({ ...both, mix: [...mixOf('read'), ...mixOf('write')] }, drawn),
      none,
    );
    assert.equal(await problem({ ...both, mix: mixOf('read') }, drawn), 'none');
    assert.equal(await problem({ mix: mixOf('get'), blockSizeBytes: 2 ** 19 }, drawn), 'none');
    // Blocks of several sizes are cut to the file.
    const uniform = [4096, 2 ** 19] as const;
    const cut = { blockSizeBytes: 2 ** 19, blockSizes: { read: { uniform }, write: { uniform } } };
    assert.equal(await problem({ ...cut, mix: mixOf('read') }, drawn), 'none');
  });

  it('refuses direct with sizes that no device takes', async () => {
    assert.match(
      await problem({ direct: true, blockSizeBytes: 1000 }),
      /multiple of 512, not 1000/u,
    );
    for (const odd of ['read', 'write']) {
      const blockSizes = { read: 4096, write: 4096, [odd]: 1000 };
      assert.match(await problem({ direct: true, blockSizes }), /multiple of 512, not 1000/u, odd);
    }
    const odd = { dataset: { fileSizeBytes: 70_001 } };
    assert.match(await problem({ direct: true, mix: mixOf('put') }, odd), /file_size .*not 70001/u);
    assert.equal(await problem({ direct: true, mix: mixOf('get') }, odd), 'none');
  });
});
