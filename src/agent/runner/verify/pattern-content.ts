import type { Operation, WriteContent } from '../../engines/engine.js';
import { alignedBuffer } from '../content/aligned-buffer.js';
import { dataBlock } from '../content/fill-blocks.js';
import { headerBytes } from './pattern.js';
import type { Pattern } from './pattern.js';

/** For making a dataset: generation 0 of every block, of the run that makes it. */
export class PreparedPattern implements WriteContent {
  readonly bytes: Uint8Array;
  readonly #pattern: Pattern;
  readonly #run: number;

  constructor(pattern: Pattern, run: number, mostBytes: number) {
    this.bytes = alignedBuffer(Math.ceil(mostBytes / dataBlock) * dataBlock);
    this.#pattern = pattern;
    this.#run = run;
  }

  take({ file, offset }: Operation, _buffer: Uint8Array, length: number): number {
    for (let at = 0; at < length; at += dataBlock) {
      const hasHeader = length - at >= headerBytes;
      this.#pattern.make(
        { file, unit: (offset + at) / dataBlock },
        { run: hasHeader ? this.#run : 0, generation: 0 },
      );
      this.bytes.set(this.#pattern.bytes, at);
    }
    return 0;
  }
}

/** For stages: writes take what the verifier has put into the operation's own buffer; new files take any data. */
export class VerifiedContent implements WriteContent {
  bytes: Uint8Array;
  readonly #others: WriteContent;

  constructor(others: WriteContent) {
    this.#others = others;
    this.bytes = others.bytes;
  }

  take(operation: Operation, buffer: Uint8Array, length: number): number {
    const isOwn = operation.kind === 'write';
    this.bytes = isOwn ? buffer : this.#others.bytes;
    return isOwn ? 0 : this.#others.take(operation, buffer, length);
  }
}
