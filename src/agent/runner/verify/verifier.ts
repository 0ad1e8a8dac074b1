import type { Operation } from '../../engines/engine.js';
import type { ClockBase } from '../clock-base.js';
import { dataBlock } from '../content/fill-blocks.js';
import type { Generations } from './generations.js';
import { headerBytes } from './pattern.js';
import type { Pattern } from './pattern.js';

export interface VerifierOptions {
  readonly pattern: Pattern;
  /** Key of this run. */
  readonly run: number;
  /** undefined: nobody knows what other agents wrote, or the dataset is too large. */
  readonly generations: Generations | undefined;
  /** Compare what is read; what is written is always the pattern. */
  readonly checksReads: boolean;
  readonly clock: ClockBase;
  readonly pathOf: (file: number) => string;
  /** Called for the first mismatches of the lane only. */
  readonly say: (line: string) => void;
  /** Units of 4 KiB in the largest operation. */
  readonly units: number;
}

const mostLines = 10;

/**
 * Fills what is written with self-describing blocks, and compares what was read with them: both outside the time that is
 * measured. One per operation in flight, so that nothing of one gets into another.
 */
export class Verifier {
  readonly #options: VerifierOptions;
  /** What was known of each block before it was read, or whether a write was alone when it began. */
  readonly #known: Int32Array;
  #generation = 0;
  #lines = 0;

  constructor(options: VerifierOptions) {
    this.#options = options;
    this.#known = new Int32Array(options.units);
  }

  /** @returns when the operation may begin, ns after the clock base */
  before(operation: Operation, buffer: Uint8Array): number {
    if (operation.kind === 'write') this.#fill(operation, buffer);
    else if (this.#isChecked(operation)) this.#expect(operation, buffer);
    return this.#options.clock.now();
  }

  /** @param done all bytes were moved @returns false when they are not what they should be */
  after(operation: Operation, buffer: Uint8Array, done: boolean): boolean {
    if (operation.kind === 'write') this.#written(operation, done);
    else if (done && this.#isChecked(operation)) return this.#compare(operation, buffer);
    return true;
  }

  #isChecked({ kind }: Operation): boolean {
    return this.#options.checksReads && (kind === 'read' || kind === 'get');
  }

  #fill({ file, offset, bytes }: Operation, buffer: Uint8Array): void {
    const { pattern, run, generations } = this.#options;
    const generation = generations?.next() ?? ++this.#generation;
    this.#generation = generation;
    const first = offset / dataBlock;
    for (let i = 0; i * dataBlock < bytes; i++) {
      pattern.make({ file, unit: first + i }, { run, generation });
      buffer.set(pattern.bytes, i * dataBlock);
      if (generations !== undefined) {
        this.#known[i] = generations.begin(file, first + i, generation) ? 1 : 0;
      }
    }
  }

  #written({ file, offset, bytes }: Operation, done: boolean): void {
    const { generations } = this.#options;
    if (generations === undefined) return;
    const first = offset / dataBlock;
    for (let i = 0; i * dataBlock < bytes; i++) {
      generations.end(file, first + i, this.#generation, done && this.#known[i] === 1);
    }
  }

  /** What an earlier read left in the buffer must not pass for what this one brings. */
  #expect({ kind, file, offset, bytes }: Operation, buffer: Uint8Array): void {
    const { generations } = this.#options;
    const first = kind === 'get' ? 0 : offset / dataBlock;
    for (let i = 0; i * dataBlock < bytes; i++) {
      buffer.fill(0, i * dataBlock, i * dataBlock + headerBytes);
      this.#known[i] = generations?.known(file, first + i) ?? 0;
    }
  }

  #compare({ kind, file, offset, bytes }: Operation, buffer: Uint8Array): boolean {
    const { generations } = this.#options;
    const first = kind === 'get' ? 0 : offset / dataBlock;
    let isGood = true;
    for (let i = 0; i * dataBlock < bytes; i++) {
      const known = this.#known[i] ?? 0;
      // A block that was written while it was read may be either, or both.
      if (known < 0 || (generations?.known(file, first + i) ?? 0) !== known) continue;
      const found = buffer.subarray(i * dataBlock, Math.min(bytes, (i + 1) * dataBlock));
      if (!this.#isRight(file, first + i, found, known)) isGood = false;
    }
    return isGood;
  }

  #isRight(file: number, unit: number, found: Uint8Array, known: number): boolean {
    const { pattern, run, generations, pathOf } = this.#options;
    const version = pattern.versionOf(found);
    pattern.make({ file, unit }, version);
    const isWhole = Buffer.compare(pattern.bytes.subarray(0, found.length), found) === 0;
    const isNewest =
      known === 0 ||
      found.length < headerBytes ||
      (version.generation === known && version.run === generations?.runOf(known));
    if (isWhole && isNewest) return true;
    const expected = known === 0 ? 'its block' : `generation ${String(known)} of its block`;
    const what = isWhole
      ? `generation ${String(version.generation)}${version.run === run ? '' : ' of another run'} (stale: a later write was lost)`
      : pattern.describe(found, pathOf);
    this.#report(
      `${pathOf(file)}, offset ${String(unit * dataBlock)}: expected ${expected}, found ${what}`,
    );
    return false;
  }

  #report(line: string): void {
    if (this.#lines++ < mostLines) this.#options.say(line);
  }
}
