import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { version } from '../../../../src/shared/model/version.js';

test('the version that the programs tell is that of package.json', async () => {
  const text = await readFile(new URL('../../../../../package.json', import.meta.url), 'utf8');
  const declared = JSON.parse(text) as { version: string };
  assert.equal(version, declared.version);
});
