import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { MusterError } from '../../../../src/shared/kernel/errors.js';
import { readAccess } from '../../../../src/shared/wire/access-files.js';
import type { AccessSources } from '../../../../src/shared/wire/access-files.js';
import {
  isLoopback,
  openAgentWarning,
  openControllerWarning,
} from '../../../../src/shared/wire/open-door.js';
import { makeAuthority } from '../../../support/certificates.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

const secret = 'a0b1c2d3e4f5061728394a5b6c7d8e9f';

function folder(t: TestContext) {
  const { path, remove } = temporaryFolder();
  t.after(remove);
  return (name: string, content: string | Uint8Array, mode = 0o600): string => {
    const file = join(path, name);
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  };
}

async function refused(sources: AccessSources, sentence: RegExp): Promise<void> {
  await assert.rejects(readAccess(sources), (error) => {
    assert.ok(error instanceof MusterError, String(error));
    assert.equal(error.exitCode, 2);
    assert.match(error.message, sentence);
    assert.ok(error.hint);
    assert.ok(!`${error.message} ${error.hint}`.includes(secret), 'never the secret itself');
    return true;
  });
}

const keyOf = async (sources: AccessSources): Promise<string | undefined> =>
  (await readAccess(sources)).token?.handshakeSigner().sign([]).toString();

test('a token comes from the file, or from the environment, without the newline at its end', async (t) => {
  const file = folder(t);
  const expected = await keyOf({ environmentToken: secret });
  assert.ok(expected);
  assert.equal(await keyOf({ tokenFile: file('token', `${secret}\n`) }), expected);
  const other = 'f'.repeat(20) + secret;
  assert.equal(
    await keyOf({ tokenFile: file('token', secret), environmentToken: other }),
    expected,
  );
  assert.deepEqual(await readAccess({}), { token: undefined, tls: undefined });
});

test('a token that is missing, empty, short, guessable or more than one line is refused with the reason', async (t) => {
  const file = folder(t);
  await refused(
    { tokenFile: '/no/such/token' },
    /^Cannot read \/no\/such\/token: there is no such file$/,
  );
  await refused({ tokenFile: '' }, /^--token-file: the name of the file is empty$/);
  await refused({ tokenFile: dirname(file('x', '')) }, /^Cannot read \/.*: it is a folder$/);
  await refused({ tokenFile: file('nothing', '') }, /nothing: the token is empty$/);
  await refused({ tokenFile: file('empty', '\n') }, /empty: the token is empty$/);
  await refused({ environmentToken: '' }, /^BENCH_TOKEN: the token is empty$/);
  await refused({ tokenFile: file('short', secret.slice(1)) }, /has 31 characters, at least 32/);
  await refused({ tokenFile: file('long', secret.repeat(33)) }, /longer than 1024 characters/);
  await refused(
    { tokenFile: file('dull', '0000000'.repeat(9)) },
    /fewer than 8 different characters/,
  );
  await refused(
    { tokenFile: file('lines', `${secret}\n${secret}`) },
    /one line of printable ASCII/,
  );
});

test('a secret that other users of the host can get at is refused; the group may read it', async (t) => {
  const file = folder(t);
  await refused({ tokenFile: file('world', secret, 0o644) }, /other users .* \(mode 644\)$/);
  await refused({ tokenFile: file('written', secret, 0o620) }, /\(mode 620\)$/);
  assert.ok(await keyOf({ tokenFile: file('group', secret, 0o640) }));
  const { cert, key } = makeAuthority('a').issue({ name: 'b' });
  const certificate = file('cert', cert, 0o644);
  await refused({ tls: { cert: certificate, key: file('key', key, 0o604) } }, /key is a secret/);
});

test('TLS material is checked before anything listens or dials', async (t) => {
  const file = folder(t);
  const authority = makeAuthority('a');
  const [one, two] = [authority.issue({ name: 'one' }), authority.issue({ name: 'two' })];
  const paths = {
    ca: file('ca', authority.cert, 0o644),
    cert: file('cert', one.cert, 0o644),
    key: file('key', one.key),
  };
  const { tls } = await readAccess({ tls: paths });
  assert.deepEqual(tls?.cert, one.cert);
  await refused({ tls: { ca: '' } }, /^--tls-ca: the name of the file is empty$/);
  await refused({ tls: { ...paths, key: '' } }, /^--tls-key: the name of the file is empty$/);
  await refused({ tls: { cert: paths.cert } }, /^A TLS cert needs its key/);
  await refused({ tls: { key: paths.key } }, /^A TLS key needs its cert/);
  await refused({ tls: { ...paths, ca: file('text', 'hello') } }, /text is not a certificate/);
  await refused(
    { tls: { ...paths, key: file('other', two.key) } },
    /Cannot use .*: key values mismatch/,
  );
});

test('only a link that others can reach or hear is warned about', async () => {
  for (const host of ['localhost', '127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1']) {
    assert.ok(isLoopback(host), host);
  }
  for (const host of ['10.0.0.1', '::', '0.0.0.0', 'localhost.example', '1127.0.0.1']) {
    assert.ok(!isLoopback(host), host);
  }
  const { token } = await readAccess({ environmentToken: secret });
  const ca = Buffer.from('x');
  assert.match(
    openAgentWarning('::', {}) ?? '',
    /without token and TLS: whoever reaches this port/,
  );
  assert.match(openAgentWarning('::', { tls: {} }) ?? '', /without asking for certificates/);
  for (const access of [{ token }, { tls: { ca } }])
    assert.equal(openAgentWarning('::', access), undefined);
  assert.equal(openAgentWarning('127.0.0.1', {}), undefined);
  assert.match(openControllerWarning(['a', '::1', 'b'], {}) ?? '', /^2 agents are reached without/);
  for (const access of [{ token }, { tls: {} }]) {
    assert.equal(openControllerWarning(['a'], access), undefined);
  }
  assert.equal(openControllerWarning(['127.0.0.1'], {}), undefined);
});
