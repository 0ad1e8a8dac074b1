import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { connectCause } from '../../../../src/shared/wire/connect-cause.js';

function causeOf(details: string, usesTls: boolean): string {
  const error = { name: 'Error', message: details, metadata: new Metadata() };
  return connectCause({ ...error, code: status.UNAVAILABLE, details }, usesTls).text;
}

test('[LINK-08] a connection that is cut before it is ready points to the agent’s log, however it was cut', () => {
  const log = /closed before it was ready \(its log says whether it refuses this controller's cert/;
  assert.match(causeOf('read ECONNRESET', true), log);
  assert.match(causeOf('write EPIPE', true), log);
  assert.match(causeOf('Failed to connect', true), log);
  assert.match(causeOf('read ECONNRESET', false), /does that agent use TLS\?/);
});
