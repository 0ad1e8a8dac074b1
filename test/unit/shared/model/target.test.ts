import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseTarget } from '../../../../src/shared/model/target.js';

test('a target is an absolute path, a file URI or null:', () => {
  assert.deepEqual(parseTarget('/mnt/bench'), { engine: 'file', path: '/mnt/bench' });
  assert.deepEqual(parseTarget('/mnt//a/./b/../c/'), { engine: 'file', path: '/mnt/a/c' });
  assert.deepEqual(parseTarget('file:///mnt/a%20b'), { engine: 'file', path: '/mnt/a b' });
  assert.deepEqual(parseTarget('null:'), { engine: 'null' });
});

test('other targets are refused by name', () => {
  const rows = [
    ['bench', /not an absolute path/],
    ['./bench', /not an absolute path/],
    ['s3://bucket/prefix', /no engine for "s3:"; this version has file: and null:/],
    ['file://host/path', /not a local file URI/],
    ['file:/mnt', /not a local file URI/],
    ['file:///a%zz', /broken %-escape/],
    ['null:x', /more than the scheme/],
    ['/mnt/\0', /NUL/],
  ] as const;
  for (const [text, expected] of rows) {
    const target = parseTarget(text);
    assert.match('problem' in target ? target.problem : 'accepted', expected, text);
  }
});

test('[SAFE-04] the root and the folders of the system are never a target, however they are written', () => {
  const paths = [
    '/',
    '//',
    '/mnt/..',
    '/etc',
    '/etc/x',
    '/usr/local',
    '/boot',
    '/proc/1',
    '/sys',
    '/dev/shm',
  ];
  for (const path of [...paths, '/mnt/../etc', 'file:///etc/x', 'file:///%65tc']) {
    const target = parseTarget(path);
    assert.match('problem' in target ? target.problem : 'accepted', /never a target/, path);
  }
  for (const path of ['/etcetera', '/mnt/etc', '/home/dev']) {
    assert.equal('problem' in parseTarget(path), false, path);
  }
});
