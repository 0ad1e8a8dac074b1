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

  it('refuses direct with sizes that no device takes', async () => {
    assert.match(
      await problem({ direct: true, blockSizeBytes: 1000 }),
      /multiple of 512, not 1000/u,
    );
    const odd = { dataset: { fileSizeBytes: 70_001 } };
    assert.match(await problem({ direct: true, mix: mixOf('put') }, odd), /file_size .*not 70001/u);
    assert.equal(await problem({ direct: true, mix: mixOf('get') }, odd), 'none');
  });
});
