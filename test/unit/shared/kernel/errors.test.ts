import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeOf, reasonOf } from '../../../../src/shared/kernel/errors.js';

const system = (code: string, errno: number, message: string): Error =>
  Object.assign(new Error(message), { code, errno });

test('[ENG-03] a system error that Node has no name for gets the one that Linux gives it', () => {
  const unnamed = 'Unknown system error -122';
  const opening = system(unnamed, -122, `${unnamed}: ${unnamed}, open 'data/f0'`);
  const writing = system('UNKNOWN', -122, 'UNKNOWN: unknown error, write');
  for (const error of [opening, writing]) {
    assert.equal(codeOf(error), 'EDQUOT');
    assert.equal(reasonOf(error), 'disk quota exceeded (EDQUOT)');
  }
  const named = system('EROFS', -30, "EROFS: read-only file system, mkdir '/mnt/x'");
  assert.equal(codeOf(named), 'EROFS');
  assert.equal(reasonOf(named), 'read-only file system (EROFS)');
  const stranger = system('UNKNOWN', -999, 'UNKNOWN: unknown error, write');
  assert.equal(codeOf(stranger), 'UNKNOWN');
});

test('an address that is in use is told without Node’s own words for the call and the address', () => {
  const listening = 'listen EADDRINUSE: address already in use 127.0.0.1:7762';
  const error = system('EADDRINUSE', -98, listening);
  assert.equal(reasonOf(error), 'address already in use (EADDRINUSE)');
  const all = system('EADDRINUSE', -98, listening.replace('127.0.0.1', '::'));
  assert.equal(reasonOf(all), 'address already in use (EADDRINUSE)');
});
