import type { DatasetAssignment } from '../../../shared/model/assignment.js';
import { largestSize } from '../../../shared/model/sizes.js';
import type { SizeSpec } from '../../../shared/model/sizes.js';
import { keyOf, mix } from './hash.js';
import { sizeDraw } from './size-draw.js';
import type { SizeDraw, Source } from './size-draw.js';

/**
 * How long each file of a dataset is: a function of the dataset's hash and the file's number, so every agent and every
 * later run comes to the same sizes without a list.
 */
export class FileSizes {
  /** Undefined when sizes differ. */
  readonly all: number | undefined;
  readonly #draw: SizeDraw;
  readonly #source = new HashedSource();
  readonly #key: number;
  readonly #listed: readonly number[] | undefined;

  /** @param listed of each file, where they are known one by one */
  constructor(spec: SizeSpec, datasetHash: string, listed?: readonly number[]) {
    const isEven = listed?.every((bytes) => bytes === listed[0]) ?? typeof spec === 'number';
    this.#listed = listed;
    this.all = isEven ? (listed?.[0] ?? largestSize(spec)) : undefined;
    this.#draw = sizeDraw(spec);
    this.#key = keyOf(datasetHash);
  }

  of(file: number): number {
    if (this.all !== undefined) return this.all;
    if (this.#listed !== undefined) return this.#listed[file] ?? 0;
    this.#source.begin(this.#key, file, 0);
    return this.#draw(this.#source);
  }

  /** Of a file that `put` makes. */
  ofChurn(lane: number, entry: number): number {
    if (this.all !== undefined) return this.all;
    this.#source.begin(this.#key, entry, lane + 1);
    return this.#draw(this.#source);
  }

  /** Of files `from` … `to`-1 together. */
  sum(from: number, to: number): number {
    if (this.all !== undefined) return (to - from) * this.all;
    let bytes = 0;
    for (let file = from; file < to; file++) bytes += this.of(file);
    return bytes;
  }
}

/** Of a dataset that an assignment describes. */
export function fileSizesOf(dataset: DatasetAssignment): FileSizes {
  const { fileSizes, fileSizeBytes, hash, listedSizes } = dataset;
  return new FileSizes(fileSizes ?? fileSizeBytes, hash, listedSizes);
}

/** Numbers that are a function of what they were begun with. */
class HashedSource implements Source {
  #state = 0;

  begin(key: number, number: number, part: number): void {
    this.#state = mix(mix(mix(key, number), number / 4_294_967_296), part);
  }

  fraction(): number {
    const high = (this.#state = mix(this.#state, 1)) >>> 5;
    const low = (this.#state = mix(this.#state, 2)) >>> 6;
    return (high * 67_108_864 + low) * 2 ** -53;
  }
}
