import assert from 'node:assert/strict';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { accessOf } from '../../../../src/controller/commands/access-options.js';
import { makeAuthority } from '../../../support/certificates.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

test('[CLI-01] [LINK-08] flags go before the config: the authority by itself, certificate and key as a pair', async (t) => {
  const folder = temporaryFolder();
  t.after(folder.remove);
  const file = (name: string, content: Buffer): string => {
    const path = join(folder.path, name);
    writeFileSync(path, content);
    chmodSync(path, 0o600);
    return path;
  };
  const made = ['config', 'flags'].map((name) => {
    const authority = makeAuthority(name);
    const { cert, key } = authority.issue({ name });
    const paths = {
      ca: file(`${name}.ca`, authority.cert),
      cert: file(`${name}.cert`, cert),
      key: file(`${name}.key`, key),
    };
    return { ca: authority.cert, cert, key, paths };
  });
  const [config, flags] = made;
  assert.ok(config && flags);
  const tlsOf = async (options: Parameters<typeof accessOf>[0]) =>
    (await accessOf(options, { env: {} }, config.paths)).tls;
  const { ca: tlsCa, cert: tlsCert, key: tlsKey } = flags.paths;
  const { ca, cert, key } = config;

  assert.deepEqual(await tlsOf({}), { ca, cert, key });
  assert.deepEqual(await tlsOf({ tlsCa }), { ca: flags.ca, cert, key });
  const own = { ca, cert: flags.cert, key: flags.key };
  assert.deepEqual(await tlsOf({ tlsCert, tlsKey }), own);
  assert.deepEqual(await tlsOf({ tlsCa, tlsCert, tlsKey }), { ...own, ca: flags.ca });
  // Half a pair is not made whole by the config's, nor left out of account.
  await assert.rejects(tlsOf({ tlsCert }), /^MusterError: A TLS cert needs its key/);
  await assert.rejects(tlsOf({ tlsKey }), /^MusterError: A TLS key needs its cert/);
  // An empty one is no flag that is not there.
  await assert.rejects(tlsOf({ tlsKey: '' }), /A TLS key needs its cert/);
});
