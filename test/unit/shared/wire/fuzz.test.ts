/** A million of these per side are in test/long/fuzz.test.ts. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { encodePayload } from '../../../../src/shared/wire/codec.js';
import { encodeFrame } from '../../../../src/shared/wire/frame.js';
import type { Frame } from '../../../../src/shared/wire/frame.js';
import { controllerEndpoint } from '../../../../src/shared/wire/link-endpoint.js';
import { intervalOf } from '../../../support/agent-driver.js';
import { concatenate } from '../../../support/lossy-pipe.js';
import { fuzzTests } from '../../../support/fuzz/suite.js';

fuzzTests(5000, Number(process.env['MUSTER_FUZZ_SEED'] ?? '1'));

test('[RPC-07] intervals with holes between them do not fill the memory of a controller', () => {
  const controller = controllerEndpoint({ session: 'run-1', mergeHistograms: concatenate });
  controller.attach(1, 0, 0n);
  const context = { direction: 'toController', session: 'run-1' } as const;
  let refused = 0;
  for (let n = 0; n < 10_010; n += 1) {
    // Spread over stages, so that looking them up stays quick.
    const interval = intervalOf({ stage: n % 500, first: 2 * n, last: 2 * n });
    const payload = encodePayload({ kind: 'interval', ...interval });
    const numbers = { sequence: BigInt(n + 2), reliable: 0n, ack: 0n, seen: 0n, heard: 0n };
    const frame: Frame = { ...numbers, encoding: 'PLAIN', payload };
    const [event] = controller.receive(encodeFrame(frame, context), 0);
    if (event?.kind === 'invalid') refused += 1;
  }
  assert.equal(refused, 10);
  assert.equal(controller.held().length, 10_000);
});
