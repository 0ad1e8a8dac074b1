import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fioEngines, fioOptions, fioProblem } from '../../../../src/shared/model/fio-options.js';

test('[ENG-02] options that stay within the dataset pass, with every engine that works on files', () => {
  const good = {
    iodepth_low: '32',
    bssplit: '4k/50:64k/50',
    rate_iops: '1000,500',
    cpus_allowed: '0-1',
    sqthread_poll: '1',
  };
  for (const [name, value] of Object.entries(good)) {
    assert.equal(fioProblem(name, value), undefined, name);
  }
  for (const engine of fioEngines) assert.equal(fioProblem('ioengine', engine), undefined);
});

test('[SAFE-04] nothing that runs a command, names a file or opens a connection passes', () => {
  const bad = [
    ['exec_prerun', 'touch x'],
    ['exec_postrun', 'touch x'],
    ['ioengine', 'external:/tmp/evil.so'],
    ['ioengine', 'net'],
    ['ioengine', 'filedelete'],
    ['ioengine', 'exec'],
    ['write_bw_log', 'log'],
    ['write_iolog', 'log'],
    ['read_iolog', 'log'],
    ['opendir', 'd'],
    ['unlink', '1'],
    ['iomem', 'mmap:/etc/passwd'],
    ['allow_file_create', '1'],
    ['include', 'x'],
    ['constructor', '1'],
    ['toString', '1'],
  ] as const;
  for (const [name, value] of bad) assert.ok(fioProblem(name, value) !== undefined, name);
});

test('[SAFE-04] no value can end its line, begin a comment or be expanded', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...fioOptions),
      fc.string(),
      fc.constantFrom('\n', '\r', ';', '#', '$', '`', ' ', '"', "'", '\\', '\0', '&', '|', '>'),
      fc.string(),
      (name, before, special, after) => fioProblem(name, before + special + after) !== undefined,
    ),
  );
  assert.ok(fioProblem('iodepth_low', '') !== undefined);
  assert.ok(fioProblem('offset', '/etc/passwd') !== undefined);
});

test('[CONF-01] what has a key of its own in Muster is refused with that key', () => {
  assert.equal(fioProblem('rw', 'randread'), "is not set here: Muster's mix and access says it");
  assert.equal(fioProblem('numjobs', '4'), "is not set here: Muster's threads says it");
});
