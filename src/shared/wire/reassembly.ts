import { chunkBytes } from './bulk-credit.js';
import { DecodeError } from './decode-error.js';
import type { Chunk } from './codec.js';

/** A message may not be larger, and all unfinished ones together neither. */
export const messageLimitBytes = 64 * 1024 * 1024;

interface Transfer {
  readonly count: number;
  readonly pieces: Uint8Array[];
}

/** Puts large messages together again. Chunks come in order, those of different transfers may be interleaved. */
export class Reassembly {
  readonly #transfers = new Map<number, Transfer>();
  #chunks = 0;

  /** @returns the serialised payload when this was its last piece. @throws DecodeError */
  add({ transfer: id, index, count, data }: Chunk): Uint8Array | undefined {
    const transfer = this.#transfers.get(id) ?? { count, pieces: [] };
    if (count === 0 || data.length > chunkBytes || index !== transfer.pieces.length) {
      throw new DecodeError(`chunk ${index} of ${count} (${data.length} bytes) does not fit`);
    }
    if (count !== transfer.count) throw new DecodeError(`a transfer changed its number of chunks`);
    if (
      (this.#chunks + 1) * chunkBytes > messageLimitBytes ||
      count * chunkBytes > messageLimitBytes
    ) {
      throw new DecodeError(
        `a transfer of ${count} chunks is larger than ${messageLimitBytes} bytes`,
      );
    }
    transfer.pieces.push(data);
    this.#chunks += 1;
    this.#transfers.set(id, transfer);
    if (transfer.pieces.length < count) return undefined;
    this.#transfers.delete(id);
    this.#chunks -= count;
    return Buffer.concat(transfer.pieces);
  }
}
