import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { connectCause } from '../../../../src/shared/wire/connect-cause.js';

function adviceFor(details: string, usesTls: boolean): string {
  const error = { name: 'Error', message: details, metadata: new Metadata() };
  return connectCause({ ...error, code: status.UNAVAILABLE, details }, usesTls).hint ?? '';
}

test('[LINK-08] a connection that is cut before it is ready points to the agent’s log, however it was cut', () => {
  const log = /agent's log says whether it refuses this controller's cert/;
  assert.match(adviceFor('read ECONNRESET', true), log);
  assert.match(adviceFor('write EPIPE', true), log);
  assert.match(adviceFor('Failed to connect', true), log);
  assert.match(adviceFor('read ECONNRESET', false), /Does that agent use TLS\?/);
});
