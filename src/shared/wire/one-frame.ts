import type { FrameStream } from './frame-stream.js';
import { race } from './race.js';
import type { Limits } from './race.js';

export type FirstFrame =
  | { readonly outcome: 'frame'; readonly bytes: Buffer }
  | { readonly outcome: 'closed'; readonly reason: string }
  | { readonly outcome: 'timeout' | 'cancelled' };

/** Waits for the next frame only; those after it wait for the next listener. */
export async function oneFrame(stream: FrameStream, limits: Limits): Promise<FirstFrame> {
  let first: FirstFrame | undefined;
  const arrival = new Promise<void>((resolve) => {
    stream.onFrame((bytes) => {
      stream.onFrame(undefined);
      first = { outcome: 'frame', bytes };
      resolve();
    });
    stream.onClosed((reason) => {
      first ??= { outcome: 'closed', reason };
      resolve();
    });
  });
  const outcome = await race(arrival, limits);
  if (outcome === 'done' && first) return first;
  return { outcome: outcome === 'cancelled' ? 'cancelled' : 'timeout' };
}
