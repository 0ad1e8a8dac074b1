import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { DecodeError } from './decode-error.js';
import type { Encoding } from './frame.js';

/** Shorter payloads are sent as they are: deflating them saves next to nothing. */
const worthwhileBytes = 1024;

/**
 * A frame's payload never legitimately inflates beyond this: chunks carry 16 KiB, and an interval with every operation
 * and full histograms stays below 1 MiB. Keeps one hostile frame from holding the loop or the memory.
 */
export const inflatedLimitBytes = 8 * 1024 * 1024;

export interface Packed {
  readonly encoding: Encoding;
  readonly payload: Uint8Array;
}

/** Deflates (RFC 1951) where that makes the payload smaller. */
export function pack(plain: Uint8Array): Packed {
  if (plain.length <= worthwhileBytes) return { encoding: 'PLAIN', payload: plain };
  const deflated = deflateRawSync(plain, { level: 3 });
  if (deflated.length >= plain.length) return { encoding: 'PLAIN', payload: plain };
  return { encoding: 'DEFLATE', payload: alone(deflated) };
}

/** @throws DecodeError when the data is damaged or inflates beyond the limit */
export function unpack({ encoding, payload }: Packed, limitBytes = inflatedLimitBytes): Uint8Array {
  if (encoding === 'PLAIN') return payload;
  try {
    return alone(inflateRawSync(payload, { maxOutputLength: limitBytes }));
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new DecodeError(`payload inflates beyond ${limitBytes} bytes`, { cause });
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DecodeError(`payload does not inflate: ${reason}`, { cause });
  }
}

/** What comes of zlib is a view of its 16 KiB of room; what is kept for long must not keep all of that. */
function alone(bytes: Uint8Array): Uint8Array {
  return bytes.length < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes;
}
