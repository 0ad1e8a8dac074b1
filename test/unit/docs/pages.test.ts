import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

const root = new URL('../../../../', import.meta.url);

function pages(): string[] {
  const docs = readdirSync(new URL('docs', root), { recursive: true, encoding: 'utf8' });
  return ['README.md', 'CONTRIBUTING.md', ...docs.map((name) => `docs/${name}`)].filter((name) =>
    name.endsWith('.md'),
  );
}

test('every link in the documentation leads to a file that is there', () => {
  const dead = pages().flatMap((page) => {
    const at = new URL(page, root);
    const links = readFileSync(at, 'utf8').matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g);
    return [...links]
      .map(([, target = '']) => target)
      .filter((target) => !/^[a-z]+:/.test(target) && !existsSync(new URL(target, at)))
      .map((target) => `${page}: ${target}`);
  });
  assert.deepEqual(dead, []);
});

test('every page of docs/ can be found from the README', () => {
  const readme = readFileSync(new URL('README.md', root), 'utf8');
  const pagesOfDocs = readdirSync(new URL('docs', root)).filter((name) => name.endsWith('.md'));
  assert.deepEqual(
    pagesOfDocs.filter((name) => !readme.includes(`(docs/${name})`)),
    [],
  );
});

const promised = {
  'docs/troubleshooting.md': ['unreachable after 5s', 'busy: run', 'bench-controller report'],
  'docs/network-requirements.md': [
    '7761',
    'less than one year',
    'uninterruptible sleep',
    '2 s of added latency',
  ],
  'docs/security.md': ['not covered', 'openssl rand', 'chmod 600', 'To change it'],
  'docs/runbook.md': ['recover DIR', 'Ctrl-C', 'exit 4', '--skip-prepare', 'selftest'],
  'docs/lessons.md': ['jitter after the cap', 'majority rule', 'merged'],
  'docs/failures.md': ['majority', 'Ctrl-C', 'disk full'],
};

for (const [page, words] of Object.entries(promised)) {
  test(`[RUN-24] ${page} is linked from the README and covers ${words.join(', ')}`, () => {
    assert.ok(readFileSync(new URL('README.md', root), 'utf8').includes(`(${page})`));
    const text = readFileSync(new URL(page, root), 'utf8');
    assert.deepEqual(
      words.filter((word) => !text.includes(word)),
      [],
    );
  });
}
