import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog } from '../../../../src/agent/shell/program-log.js';
import type { LogFormat } from '../../../../src/agent/shell/program-log.js';
import { ManualClock } from '../../../support/manual-clock.js';

function logged(format: LogFormat, verbose: boolean): string[] {
  const lines: string[] = [];
  const write = (line: string): unknown => lines.push(line);
  const log = createLog({ format, verbose, clock: new ManualClock(), write });
  log('debug', 'one');
  log('info', 'two');
  log('warn', 'three');
  log('error', 'four');
  return lines;
}

test('text lines carry the time, and the level where it matters', () => {
  const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;
  const [info, warn, error] = logged('text', false);
  assert.match(info ?? '', new RegExp(`^${time} two\\n$`));
  assert.match(warn ?? '', new RegExp(`^${time} WARNING: three\\n$`));
  assert.match(error ?? '', new RegExp(`^${time} ERROR: four\\n$`));
});

test('debug lines are written only when asked for', () => {
  assert.equal(logged('text', false).length, 3);
  assert.match(logged('text', true)[0] ?? '', /debug: one\n$/);
});

test('json lines are one object each', () => {
  const entry = JSON.parse(logged('json', false)[1] ?? '') as unknown;
  assert.deepEqual(entry, { unixMs: 1_700_000_001_000, level: 'warn', line: 'three' });
});
