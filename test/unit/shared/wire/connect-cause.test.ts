import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Metadata, status } from '@grpc/grpc-js';
import { connectCause } from '../../../../src/shared/wire/connect-cause.js';

function cause(details: string, usesTls = false, code = status.UNAVAILABLE) {
  const error = { name: 'Error', message: details, metadata: new Metadata() };
  return connectCause({ ...error, code, details }, usesTls);
}

const adviceFor = (details: string, usesTls: boolean): string => cause(details, usesTls).hint ?? '';

test('[LINK-08] a connection that is cut before it is ready points to the agent’s log, however it was cut', () => {
  const log = /agent's log says whether it refuses this controller's cert/;
  assert.match(adviceFor('read ECONNRESET', true), log);
  assert.match(adviceFor('write EPIPE', true), log);
  assert.match(adviceFor('Failed to connect', true), log);
  assert.match(adviceFor('read ECONNRESET', false), /Does that agent use TLS\?/);
});

/** As grpc-js words it. */
const lastError = (error: string): string =>
  `No connection established. Last error: Error: ${error}. Resolution note: `;

test('[RUN-01] a host without a route is named so, and may still be found', () => {
  for (const code of ['EHOSTUNREACH', 'ENETUNREACH']) {
    const { text, final } = cause(lastError(`connect ${code} 192.0.2.1:7761`));
    assert.deepEqual([text, final], [`no route to the host (${code})`, false]);
  }
});

test('[RUN-01] a cause that nobody foresaw is told in its own words', () => {
  const { code, text, final } = cause(lastError('connect EMFILE 192.0.2.1:7761'));
  assert.deepEqual([code, final], ['network', false]);
  assert.equal(text, 'connect EMFILE 192.0.2.1:7761');
  const other = cause('the server has no time', false, status.RESOURCE_EXHAUSTED);
  assert.deepEqual([other.code, other.text], ['network', 'the server has no time']);
});

test('[RUN-26] a server without these calls is something else, and waiting will not change it', () => {
  const { code, text, final, hint } = cause('no such method', false, status.UNIMPLEMENTED);
  assert.deepEqual([code, final], ['stranger', true]);
  assert.equal(text, 'something else answers there (no such method)');
  assert.match(hint ?? '', /ss -ltnp/);
});
