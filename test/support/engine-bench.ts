/** An engine on a dataset of its own, as a worker would have it. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type {
  Engine,
  EngineContext,
  EngineDefinition,
  Operation,
  StageOptions,
} from '../../src/agent/engines/engine.js';
import { engines } from '../../src/agent/engines/registry.js';
import { alignedBuffer } from '../../src/agent/runner/content/aligned-buffer.js';
import { DatasetLayout } from '../../src/agent/runner/dataset-layout.js';
import { operationKinds } from '../../src/shared/model/operation.js';
import type { OperationKind } from '../../src/shared/model/operation.js';

export const fileSizeBytes = 16_384;
export const blockSizeBytes = 4096;
export const plain: StageOptions = {
  direct: false,
  noatime: false,
  iodepth: 1,
  sync: 'none',
  fsync: 'never',
  fdatasync: false,
};

export interface Bench {
  readonly engine: Engine;
  readonly folder: string;
  readonly warnings: string[];
  perform(kind: OperationKind, fields?: Partial<Operation>): number;
}

/** A dataset of four files of 16 KiB as the working directory, and the engine opened for it. */
export async function within(
  definition: EngineDefinition<StageOptions>,
  options: StageOptions,
  test: (bench: Bench) => void | Promise<void>,
  change: Partial<EngineContext> | (() => Partial<EngineContext>) = {},
): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'muster-engine-'));
  const before = process.cwd();
  process.chdir(folder);
  const warnings: string[] = [];
  try {
    const files = { from: 0, to: 4 };
    const paths = new DatasetLayout({ width: 2, depth: 1 }, 0, files);
    for (let i = 0; i < 4; i++) {
      fs.mkdirSync(paths.folderOf(i), { recursive: true });
      fs.writeFileSync(paths.file(i), Buffer.alloc(fileSizeBytes, i + 1));
    }
    const engine = await definition.open(options, {
      lane: 0,
      kinds: new Set(operationKinds),
      paths,
      files,
      fileSizeBytes,
      blockSizeBytes,
      openFiles: 100,
      content: { bytes: alignedBuffer(blockSizeBytes).fill(0xcd), take: () => 0 },
      warn: (line) => warnings.push(line),
      ...(typeof change === 'function' ? change() : change),
    });
    const buffer = alignedBuffer(blockSizeBytes).fill(0xab);
    const perform = (kind: OperationKind, fields: Partial<Operation> = {}): number => {
      const bytes =
        kind === 'read' || kind === 'write'
          ? blockSizeBytes
          : kind === 'get' || kind === 'put'
            ? fileSizeBytes
            : 0;
      assert.equal(engine.kind, 'blocking');
      return engine.perform(
        { kind, file: 0, offset: 0, bytes, lane: 0, entry: 0, to: 0, ...fields },
        buffer,
      );
    };
    await test({ engine, folder, warnings, perform });
    engine.close();
  } finally {
    process.chdir(before);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** The engine of this name. */
export function engineNamed(name: string): EngineDefinition<StageOptions> {
  const found = engines.find((one) => one.name === name);
  if (found === undefined) throw new Error(`there is no engine ${name}`);
  return found;
}
