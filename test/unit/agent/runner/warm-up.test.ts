import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import type { BlockingEngine } from '../../../../src/agent/engines/engine.js';
import { ClockBase } from '../../../../src/agent/runner/clock-base.js';
import { LaneMemory } from '../../../../src/agent/runner/lane-memory.js';
import { warmUp } from '../../../../src/agent/runner/warm-up.js';
import { contentOf } from '../../../support/lane-load.js';
import { engineNamed } from '../../../support/engine-bench.js';
import { streamOptions } from '../../../support/stream-options.js';

test('[PERF-02] what is warmed up is what will be done: batches, or one operation after the other', async (t) => {
  const zero = fs.openSync('/dev/zero', 'r');
  t.after(() => {
    fs.closeSync(zero);
  });
  const performedIn = async (kind: { paced: boolean; batched: boolean }): Promise<number> => {
    let performed = 0;
    const engine: BlockingEngine = {
      kind: 'blocking',
      mechanism: 'fake',
      blocks: { kinds: new Set(['read']), descriptors: [zero] },
      perform: ({ bytes }) => (performed++, bytes),
      finish: () => undefined,
      close: () => undefined,
    };
    const sizes = { files: { from: 0, to: 4 }, fileSizeBytes: 65_536, blockSizeBytes: 4096 };
    const content = contentOf(4096);
    await warmUp({
      definition: { ...engineNamed('file'), open: () => Promise.resolve(engine) },
      context: {
        ...sizes,
        lane: 0,
        kinds: new Set(['read']),
        paths: {
          file: String,
          folderOf: String,
          churnHome: String,
          churnFile: String,
          churnFolder: String,
        },
        openFiles: 10,
        content,
        warn: (line) => assert.fail(line),
      },
      content,
      stream: streamOptions({
        ...sizes,
        mix: [{ operation: 'read', weight: 1 }],
      }),
      memory: new LaneMemory({ kinds: 1, depth: 1, openLoop: kind.paced }),
      buffers: [new Uint8Array(4096)],
      clock: new ClockBase(),
      ...kind,
    });
    return performed;
  };
  assert.equal(await performedIn({ paced: false, batched: true }), 0);
  assert.ok((await performedIn({ paced: false, batched: false })) > 20_000);
  assert.ok((await performedIn({ paced: true, batched: false })) > 20_000);
});
