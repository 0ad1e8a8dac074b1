import type { OperationKind } from '../../../shared/model/operation.js';
import type { BlockSizes, MixEntry } from '../../../shared/model/plan.js';
import { largestSize, meanSize } from '../../../shared/model/sizes.js';
import type { SizeSpec } from '../../../shared/model/sizes.js';

/** What a stage says about sizes; fields as in DatasetAssignment and StageAssignment. */
export interface StageSizes {
  readonly fileSizeBytes: number;
  readonly fileSizes?: SizeSpec | undefined;
  readonly blockSizeBytes: number;
  readonly blockSizes?: BlockSizes | undefined;
}

/** The sizes of what a complete operation moves: 0 for those that move nothing. */
export function sizesOf(kind: OperationKind, sizes: StageSizes): SizeSpec {
  if (kind === 'read' || kind === 'write') return sizes.blockSizes?.[kind] ?? sizes.blockSizeBytes;
  if (kind === 'get' || kind === 'put') return sizes.fileSizes ?? sizes.fileSizeBytes;
  return 0;
}

/** Bytes that every complete operation moves; undefined when they differ. */
export function bytesOf(kind: OperationKind, sizes: StageSizes): number | undefined {
  const spec = sizesOf(kind, sizes);
  return typeof spec === 'number' ? spec : undefined;
}

/** What an operation of the mix moves on average. */
export function meanBytesOf(mix: readonly MixEntry[], sizes: StageSizes): number {
  let weights = 0;
  let bytes = 0;
  for (const { operation, weight } of mix) {
    weights += weight;
    bytes += meanSize(sizesOf(operation, sizes)) * weight;
  }
  return bytes / weights;
}

export function largestBytesOf(kind: OperationKind, sizes: StageSizes): number {
  return largestSize(sizesOf(kind, sizes));
}
