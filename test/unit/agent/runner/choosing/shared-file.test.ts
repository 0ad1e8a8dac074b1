import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Operation } from '../../../../../src/agent/engines/engine.js';
import { emptyChurn } from '../../../../../src/agent/runner/churn-pool.js';
import { OperationStream } from '../../../../../src/agent/runner/choosing/operation-stream.js';

const blockSizeBytes = 4096;

/** The blocks one worker writes until it comes to its first again. */
function passOf(options: ConstructorParameters<typeof OperationStream>[0]): readonly string[] {
  const stream = new OperationStream(options);
  const pass: string[] = [];
  for (;;) {
    const at: Operation = { kind: 'stat', file: 0, offset: 0, bytes: 0, lane: 0, entry: 0, to: 0 };
    stream.next(at);
    const place = `${String(at.file)}@${String(at.offset)}`;
    if (place === pass[0]) return pass;
    pass.push(place);
  }
}

test('one shared file or several, segmented or strided: all workers of all agents write every block once, whatever their number', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 4 }),
      fc.integer({ min: 0, max: 40 }),
      fc.boolean(),
      (threads, files, chunk, more, isStrided) => {
        // At least one chunk for each: with less to do than workers, some do what others do as well.
        const perFile = Math.max(...threads) * threads.length * chunk + more;
        const written = threads.flatMap((workers, agent) =>
          Array.from({ length: workers }, (_, worker) =>
            passOf({
              mix: [{ operation: 'write', weight: 1 }],
              access: isStrided
                ? { strided: { chunkBytes: chunk * blockSizeBytes, strideBytes: undefined } }
                : 'sequential',
              files: { from: 0, to: files },
              fileSizeBytes: perFile * blockSizeBytes,
              datasetHash: 'ab',
              blockSizeBytes,
              seed: 1,
              stage: 0,
              agent,
              sharers: threads.length,
              worker,
              workers,
              churn: { files: emptyChurn, folders: emptyChurn },
            }),
          ).flat(),
        );
        assert.equal(written.length, files * perFile);
        assert.equal(new Set(written).size, files * perFile);
      },
    ),
    { numRuns: 60 },
  );
});
