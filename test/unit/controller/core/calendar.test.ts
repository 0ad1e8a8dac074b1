import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clockTime } from '../../../../src/controller/core/calendar.js';

test('[CLI-03] since when an agent is owned is said in UTC wherever the operator is, as the agent itself says it', (t) => {
  const before = process.env['TZ'];
  t.after(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });
  process.env['TZ'] = 'Asia/Tokyo';
  assert.equal(clockTime(Date.UTC(2026, 10, 21, 14, 22, 33)), '14:22:33 UTC');
});
