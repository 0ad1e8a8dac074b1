import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../../../', import.meta.url);
const page = readFileSync(new URL('docs/failures.md', root), 'utf8');
const folder = new URL('test/faults/', root);

/** `file: title` of every single test: those that only hold others have neither an id nor a context of their own. */
function titles(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.test.ts'))
    .flatMap((file) => {
      const source = readFileSync(new URL(file, folder), 'utf8');
      const found = source.matchAll(/\bt\.test\(\s*'([^']+)'|\btest\(\s*'(\[[^']+)'/g);
      const name = file.replace('.test.ts', '');
      return [...found].map(([, inner, outer]) => `${name}: ${inner ?? outer ?? ''}`);
    });
}

function named(): string[] {
  return [...page.matchAll(/\| ([a-z-]+: [^|\n]+?) *\|$/gm)].map(([, name]) => name ?? '');
}

const plain = (names: readonly string[]): string[] =>
  [...new Set(names.map((name) => name.replaceAll('`', '')))].sort();

test('docs/failures.md names every fault test, and no other', () => {
  assert.ok(titles().length > 40, 'hardly any fault test was found');
  assert.deepEqual(plain(named()), plain(titles()));
});
