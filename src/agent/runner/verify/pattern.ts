import { mix } from '../choosing/hash.js';
import { dataBlock, randomPart } from '../content/fill-blocks.js';
import { counted } from '../../../shared/kernel/counted.js';

/** Which data a block is. */
export interface BlockName {
  readonly file: number;
  /** Offset in the file by 4096. */
  readonly unit: number;
}

/** Which of the writes to a block. The dataset as it was prepared has generation 0. */
export interface Version {
  /** Key of the run that wrote it. */
  readonly run: number;
  readonly generation: number;
}

/** `MSTR` as it lies in the file. */
const magic = 0x5254534d;
const unitWords = dataBlock / 4;
const sectorWords = 128;
/** Words of the header: magic, dataset, owner, file, unit (two), run, generation, check. */
const headerWords = 9;
export const headerBytes = headerWords * 4;

/**
 * Blocks of 4 KiB that say of themselves what they are: a header with dataset, owner, file, offset, run and generation,
 * a check of it, and a body that follows from it. Every sector of 512 bytes repeats run and generation, which shows where
 * a torn write ends. The last block of a file may be shorter; one without room for the header has generation 0 of run 0.
 */
export class Pattern {
  readonly bytes = new Uint8Array(dataBlock);
  readonly #words = new Uint32Array(this.bytes.buffer);
  readonly #dataset: number;
  readonly #owner: number;
  readonly #filledWords: number;

  /**
   * @param dataset key of the dataset's hash
   * @param owner whose files they are: agents with private files have the same file numbers
   * @param compress ratio to which a block can be compressed
   */
  constructor(dataset: number, owner: number, compress: number) {
    this.#dataset = dataset;
    this.#owner = owner;
    this.#filledWords = Math.max(headerWords, randomPart(compress) >> 2);
  }

  /** Makes `bytes` the block. */
  make({ file, unit }: BlockName, { run, generation }: Version): void {
    const words = this.#words;
    words[0] = magic;
    words[1] = this.#dataset;
    words[2] = this.#owner;
    words[3] = file;
    words[4] = unit;
    words[5] = unit / 4_294_967_296;
    words[6] = run;
    words[7] = generation;
    const check = checkOf(words);
    words[8] = check;
    // xorshift32 (George Marsaglia): a bit a word is all that is asked of it, at a nanosecond a word.
    let x = check | 1;
    for (let i = headerWords; i < this.#filledWords; i++) {
      x ^= x << 13;
      x ^= x >>> 17;
      x ^= x << 5;
      words[i] = x;
    }
    words.fill(0, this.#filledWords);
    for (let i = sectorWords; i < unitWords; i += sectorWords) {
      words[i] = run;
      words[i + 1] = generation;
    }
  }

  /** The version that a block claims to be. */
  versionOf(found: Uint8Array): Version {
    if (found.length < headerBytes) return { run: 0, generation: 0 };
    const words = new Uint32Array(found.buffer, found.byteOffset, headerWords);
    return { run: words[6] ?? 0, generation: words[7] ?? 0 };
  }

  /** What is wrong with a block that is not the one in `bytes`, in words: what was found. */
  describe(found: Uint8Array, file: (index: number) => string): string {
    if (found.every((byte) => byte === 0))
      return 'only zeros (never written, or the write was lost)';
    const words = new Uint32Array(dataBlock / 4);
    new Uint8Array(words.buffer).set(found);
    if (found.length >= headerBytes) {
      if (words[0] !== magic) return `no block of Muster, it begins with ${hex(found)}`;
      if (words[8] !== checkOf(words)) return 'a block with a damaged header';
      if (words[1] !== this.#words[1]) return 'a block of another dataset';
      const unit = (words[4] ?? 0) + (words[5] ?? 0) * 4_294_967_296;
      if ([2, 3, 4, 5].some((i) => words[i] !== this.#words[i])) {
        const owner = words[2] === this.#owner ? '' : ` of agent ${String((words[2] ?? 0) - 1)}`;
        return `the block of ${file(words[3] ?? 0)}${owner}, offset ${String(unit * dataBlock)} (misdirected)`;
      }
      const torn = tornAt(words, found.length);
      if (torn !== undefined) return torn;
    }
    const first = found.findIndex((byte, i) => byte !== this.bytes[i]);
    const bad = found.reduce((count, byte, i) => count + (byte === this.bytes[i] ? 0 : 1), 0);
    return `damage: ${counted(bad, 'wrong byte')}, the first at +${String(first)}: ${hexByte(found[first])} instead of ${hexByte(this.bytes[first])}`;
  }
}

function checkOf(words: Uint32Array): number {
  let hash = 0;
  for (let i = 0; i < headerWords - 1; i++) hash = mix(hash, words[i] ?? 0);
  return hash >>> 0;
}

/** Sectors of two writes to the same block. */
function tornAt(words: Uint32Array, length: number): string | undefined {
  const [run, generation] = [words[6], words[7]];
  for (let i = sectorWords; (i + 2) * 4 <= length; i += sectorWords) {
    if (words[i] === run && words[i + 1] === generation) continue;
    const other =
      words[i] === run ? String(words[i + 1]) : `${String(words[i + 1])} of another run`;
    return `parts of two writes (torn): generation ${String(generation)} up to +${String(i * 4)}, then ${other}`;
  }
  return undefined;
}

const hexByte = (byte: number | undefined): string =>
  `0x${(byte ?? 0).toString(16).padStart(2, '0')}`;

const hex = (bytes: Uint8Array): string =>
  [...bytes.subarray(0, 8)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
