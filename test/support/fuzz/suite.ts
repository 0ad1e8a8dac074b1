import assert from 'node:assert/strict';
import { test } from 'node:test';
import { heapBytes, Noise } from './noise.js';
import { fuzzAgent, fuzzController } from './hostile-peers.js';
import { fuzzSession } from './injected-frames.js';
import { fuzzDoor } from './stranger-frames.js';

const targets: Readonly<Record<string, (noise: Noise, frames: number) => Promise<void> | void>> = {
  'at the door of an agent with a token: no session, no details, every stream ended': (
    noise,
    frames,
  ) => fuzzDoor(noise, frames, 'token'),
  'at the door of an agent without a token: every stream ended': (noise, frames) =>
    fuzzDoor(noise, frames, 'no token'),
  'between a controller and its agent: what they sent arrives, once and in order, and nothing else':
    fuzzSession,
  'from a controller: the agent is free again afterwards': fuzzAgent,
  'from one agent of three: the run ends': fuzzController,
};

/** Of growth that is no leak: caches, compiled code, what the collector leaves for later. */
const slackBytes = 24 * 1024 * 1024;

/** Each target gets `frames` frames of noise in portions with seeds of their own; a failure names the seed of its portion. */
export function fuzzTests(frames: number, firstSeed: number): void {
  const portion = Math.min(frames, 20_000);
  for (const [title, fuzz] of Object.entries(targets)) {
    test(`[LINK-07] ${frames} hostile frames ${title}`, async () => {
      let before = 0;
      for (let done = 0, seed = firstSeed; done < frames; done += portion, seed += 1) {
        try {
          await fuzz(new Noise(seed), portion);
        } catch (thrown) {
          throw new Error(`with seed ${seed} and ${portion} frames`, { cause: thrown });
        }
        // What failed to inflate is let go of on the next turn of the loop.
        await new Promise((resolve) => setImmediate(resolve));
        const after = heapBytes();
        if (done === 0) before = after;
        assert.ok(after - before < slackBytes, `${after - before} bytes more after ${done} frames`);
      }
    });
  }
}
