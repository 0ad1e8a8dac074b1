import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLivePage } from '../../../../src/controller/shell/live-page.js';
import { MusterError } from '../../../../src/shared/kernel/errors.js';

const anywhere = { host: undefined, port: 0 };

test('[LINK-16] the live page is made anew for each request, on this machine only', async (t) => {
  const live = await openLivePage(anywhere);
  t.after(live.close);
  assert.match(live.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.equal((await fetch(live.url)).status, 503, 'nothing to show yet');
  let count = 0;
  live.show(() => `<p>${String((count += 1))}</p>`);
  assert.equal(await (await fetch(live.url)).text(), '<p>1</p>');
  const second = await fetch(live.url);
  assert.equal(await second.text(), '<p>2</p>');
  assert.equal(second.headers.get('cache-control'), 'no-store');
  assert.equal((await fetch(`${live.url}etc/passwd`)).status, 404);
  assert.equal((await fetch(live.url, { method: 'POST' })).status, 405);
});

test('[LINK-16] a port in use is one sentence with a way out, exit code 3', async (t) => {
  const live = await openLivePage(anywhere);
  t.after(live.close);
  const port = Number(new URL(live.url).port);
  await assert.rejects(openLivePage({ host: undefined, port }), (thrown: unknown) => {
    assert.ok(thrown instanceof MusterError);
    assert.equal(thrown.exitCode, 3);
    assert.equal(
      thrown.message,
      `Cannot show the run on 127.0.0.1:${String(port)}: listen EADDRINUSE: address already in use 127.0.0.1:${String(port)}`,
    );
    assert.match(thrown.hint ?? '', /--ui :7763/);
    return true;
  });
});

test('[LINK-16] after close nothing answers, also for a browser that kept its connection', async () => {
  const live = await openLivePage(anywhere);
  live.show(() => 'here');
  await fetch(live.url);
  live.close();
  await assert.rejects(fetch(live.url));
});
