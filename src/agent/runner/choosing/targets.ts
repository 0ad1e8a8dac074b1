import type { Operation } from '../../engines/engine.js';
import type { BlockSpace } from './block-space.js';
import type { FileSizes } from './file-sizes.js';
import type { Picker } from './picker.js';
import type { Random } from './random.js';
import type { SizeDraw } from './size-draw.js';

/** Where the operations of one kind go. */
export interface Target {
  /** Sets file and offset, and bytes where these differ from operation to operation. Hot path. */
  aim(operation: Operation): void;
}

/** Blocks of one size. */
export class BlockTarget implements Target {
  readonly #picker: Picker;
  readonly #space: BlockSpace;

  constructor(picker: Picker, space: BlockSpace) {
    this.#picker = picker;
    this.#space = space;
  }

  aim(operation: Operation): void {
    this.#space.locate(this.#picker.next(), operation);
  }
}

/** Whole files. */
export class FileTarget implements Target {
  readonly #picker: Picker;
  readonly #first: number = 0;
  readonly #sizes: FileSizes | undefined;

  /** @param sizes when the operation moves the file, and files differ */
  constructor(picker: Picker, first: number, sizes: FileSizes | undefined) {
    this.#picker = picker;
    this.#first = first;
    this.#sizes = sizes;
  }

  aim(operation: Operation): void {
    operation.file = this.#first + this.#picker.next();
    if (this.#sizes !== undefined) operation.bytes = this.#sizes.of(operation.file);
  }
}

/** Parts of different sizes: places are multiples of `grain`; a part that would reach beyond its file is moved back. */
export class PartTarget implements Target {
  readonly #picker: Picker;
  readonly #space: BlockSpace;
  readonly #draw: SizeDraw;
  readonly #random: Random;
  readonly #files: FileSizes;
  readonly #grain: number = 0;

  constructor(picker: Picker, parts: Parts) {
    this.#picker = picker;
    this.#space = parts.space;
    this.#draw = parts.draw;
    this.#random = parts.random;
    this.#files = parts.files;
    this.#grain = parts.grain;
  }

  aim(operation: Operation): void {
    this.#space.locate(this.#picker.next(), operation);
    const bytes = this.#draw(this.#random);
    const whole = Math.floor(this.#files.of(operation.file) / this.#grain) * this.#grain;
    operation.bytes = Math.min(bytes, whole);
    operation.offset = Math.min(operation.offset, whole - operation.bytes);
  }
}

/** What parts of different sizes are drawn from. */
export interface Parts {
  /** Of places `grain` apart. */
  readonly space: BlockSpace;
  readonly draw: SizeDraw;
  readonly random: Random;
  readonly files: FileSizes;
  readonly grain: number;
}

/** One part after the other, from place `from` on and below `to`; the last in a file or before `to` is cut. */
export class PartWalk implements Target {
  readonly #parts: Parts;
  readonly #from: number = 0;
  readonly #to: number = 0;
  #at = 0;

  constructor(parts: Parts, from: number, to: number) {
    this.#parts = parts;
    this.#from = from;
    this.#to = to;
    this.#at = from;
  }

  aim(operation: Operation): void {
    const { space, draw, random, files, grain } = this.#parts;
    space.locate(this.#at, operation);
    const leftInFile = Math.floor(files.of(operation.file) / grain) - operation.offset / grain;
    const places = Math.min(draw(random) / grain, leftInFile, this.#to - this.#at);
    operation.bytes = places * grain;
    this.#at += places;
    if (this.#at >= this.#to) this.#at = this.#from;
  }
}
