import type { OperationKind } from '../../../shared/model/operation.js';
import { grainOf } from '../../../shared/model/sizes.js';
import { EvenBlocks, UnevenBlocks } from './block-space.js';
import type { BlockSpace, BlockTable } from './block-space.js';
import { sizesOf } from './bytes-of.js';
import type { StageSizes } from './bytes-of.js';
import type { FileSizes } from './file-sizes.js';
import { ownPart, pickerFor } from './pick.js';
import type { PickerOptions } from './pick.js';
import type { Random } from './random.js';
import { sizeDraw } from './size-draw.js';
import { BlockTarget, FileTarget, PartTarget, PartWalk } from './targets.js';
import type { Target } from './targets.js';

export interface AimOptions extends Omit<PickerOptions, 'slot'>, StageSizes {
  readonly files: { readonly from: number; readonly to: number };
  readonly datasetHash: string;
  /** Of each file, where they are known one by one. */
  readonly listedSizes?: readonly number[] | undefined;
  /** For files of different sizes, by the grain of the blocks. */
  readonly tables?: BlockTables | undefined;
}

export type BlockTables = ReadonlyMap<number, BlockTable>;

/** Where the operations of `kind` go, the `slot`-th of the stage's mix. */
export function targetFor(
  options: AimOptions,
  kind: OperationKind,
  slot: number,
  random: Random,
  fileSizes: FileSizes,
): Target {
  const { files } = options;
  const own = { ...options, slot };
  if (kind !== 'read' && kind !== 'write') {
    const picker = pickerFor(own, random, Math.max(1, files.to - files.from), undefined);
    const differ = kind === 'get' && fileSizes.all === undefined;
    return new FileTarget(picker, files.from, differ ? fileSizes : undefined);
  }
  const spec = sizesOf(kind, options);
  const grain = grainOf(spec);
  const space = spaceOf(options, grain, fileSizes);
  const places = Math.max(1, space.total);
  if (typeof spec === 'number')
    return new BlockTarget(pickerFor(own, random, places, grain), space);
  const parts = { space, draw: sizeDraw(spec), random, files: fileSizes, grain };
  if (options.access === 'sequential') {
    const { from, to } = ownPart(own, places);
    return new PartWalk(parts, from, to);
  }
  return new PartTarget(pickerFor(own, random, places, grain), parts);
}

function spaceOf({ files, tables }: AimOptions, grain: number, fileSizes: FileSizes): BlockSpace {
  if (fileSizes.all !== undefined)
    return new EvenBlocks(files, Math.floor(fileSizes.all / grain), grain);
  const table = tables?.get(grain);
  if (table === undefined) throw new Error(`no table of blocks of ${String(grain)} bytes`);
  return new UnevenBlocks(files, grain, table);
}
