import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Outages } from '../../../../src/controller/core/outages.js';

const link = (
  atMs: number,
  to: 'CONNECTED' | 'DISCONNECTED' | 'HUNG',
  more: { readonly silentMs?: number } = {},
) => ({ type: 'link', agent: 0, generation: 1, reason: '', atMs, to, ...more }) as const;

test('[LINK-12] a stream that proves dead was down since the last word on it, a broken one since it broke', () => {
  const outages = new Outages();
  outages.heard(link(40_000, 'DISCONNECTED', { silentMs: 28_000 }));
  outages.heard(link(40_100, 'CONNECTED'));
  outages.heard(link(50_000, 'DISCONNECTED'));
  outages.heard(link(52_000, 'CONNECTED'));
  outages.heard(link(70_000, 'HUNG'));
  outages.heard(link(75_000, 'CONNECTED', { silentMs: 15_000 }));
  assert.deepEqual(outages.lossesMs, [28_100, 2000]);
  assert.deepEqual(outages.hangsMs, [15_000]);
});
