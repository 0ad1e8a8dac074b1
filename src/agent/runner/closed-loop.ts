import type { EndedBy } from '../../shared/model/messages.js';
import type { Engine, EngineContext } from '../engines/engine.js';
import type { Allowance } from './allowance.js';
import { BatchedLane } from './batch/batched-lane.js';
import { BlockBatch } from './batch/block-batch.js';
import type { OperationStream } from './choosing/operation-stream.js';
import type { ClockBase } from './clock-base.js';
import { ConcurrentLane } from './concurrent-lane.js';
import type { ErrorRules } from './error-rules.js';
import { Lane } from './lane.js';
import type { LaneMemory } from './lane-memory.js';
import type { Verifier } from './verify/verifier.js';

export interface ClosedLoopParts {
  readonly engine: Engine;
  readonly stream: OperationStream;
  readonly allowance: Allowance;
  readonly memory: LaneMemory;
  /** One for every operation that may be in flight. */
  readonly buffers: readonly Uint8Array[];
  readonly clock: ClockBase;
  readonly rules: ErrorRules;
  /** One for every operation that may be in flight; none when nothing is verified. */
  readonly verifiers: readonly Verifier[];
  /** As `blockBatchFor` made it. */
  readonly batch: BlockBatch | undefined;
  /** Waits until the load may begin. @returns the present; undefined when the load was stopped before */
  readonly begin: () => number | undefined;
}

const stopped = { endedBy: 'aborted', stoppedBy: '' } as const;

/** A worker's operations with either kind of engine, each as soon as the one before it in its place has ended. */
export async function runClosedLoop(
  parts: ClosedLoopParts,
): Promise<{ readonly endedBy: EndedBy; readonly stoppedBy: string }> {
  const { engine, buffers } = parts;
  if (engine.kind === 'concurrent') {
    const { allowance, memory } = parts;
    const all = { allowance, memory, pacing: undefined, isLast: true, nextNs: Infinity };
    const lane = new ConcurrentLane({ ...parts, engine }, all);
    if (parts.begin() === undefined) return stopped;
    const endedBy = await lane.run(all);
    return { endedBy, stoppedBy: lane.stoppedBy };
  }
  const [verifier] = parts.verifiers;
  const { batch } = parts;
  const all = { ...parts, engine, buffer: firstOf(buffers) };
  const lane =
    batch === undefined ? new Lane({ ...all, verifier }) : new BatchedLane({ ...all, batch });
  const nowNs = parts.begin();
  if (nowNs === undefined) return stopped;
  lane.begin(nowNs);
  for (;;) {
    const endedBy = lane instanceof BatchedLane ? lane.slice() : lane.batch();
    if (endedBy !== undefined) return { endedBy, stoppedBy: lane.stoppedBy };
  }
}

/** For so long, and an operation more, nobody learns what has been done. */
const sliceNs = 2e6;

/** @returns undefined where the engine's operations cannot be carried out in batches */
export function blockBatchFor(
  engine: Engine,
  context: Pick<EngineContext, 'files' | 'content'>,
  parts: Pick<ClosedLoopParts, 'buffers' | 'clock'>,
  slice = sliceNs,
): BlockBatch | undefined {
  const files = engine.kind === 'concurrent' ? undefined : engine.blocks;
  if (files === undefined) return undefined;
  return BlockBatch.over({
    files,
    firstFile: context.files.from,
    blockBytes: firstOf(parts.buffers).length,
    content: context.content,
    clock: parts.clock,
    sliceNs: slice,
  });
}

/** For one operation at a time. */
export function firstOf(buffers: readonly Uint8Array[]): Uint8Array {
  return buffers[0] ?? new Uint8Array(0);
}
