import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLivePage } from '../../../../src/controller/shell/live-page.js';
import { MusterError } from '../../../../src/shared/kernel/errors.js';
import { eventually } from '../../../support/eventually.js';
import { ManualClock } from '../../../support/manual-clock.js';

const anywhere = { host: undefined, port: 0 };

test('[LINK-16] the live page is made anew for each request, on this machine only', async (t) => {
  const live = await openLivePage(anywhere, new ManualClock());
  t.after(live.close);
  assert.match(live.url, /^http:\/\/127\.0\.0\.1:\d+\/$/);
  assert.equal((await fetch(live.url)).status, 503, 'nothing to show yet');
  let count = 0;
  live.show(() => Promise.resolve(`<p>${String((count += 1))}</p>`));
  assert.equal(await (await fetch(live.url)).text(), '<p>1</p>');
  const second = await fetch(live.url);
  assert.equal(await second.text(), '<p>2</p>');
  assert.equal(second.headers.get('cache-control'), 'no-store');
  assert.equal((await fetch(`${live.url}etc/passwd`)).status, 404);
  assert.equal((await fetch(live.url, { method: 'POST' })).status, 405);
});

const timeout = 30_000;

test(
  '[LINK-16] [RPC-04] a page that takes long is made once for all who ask, and not again at once',
  { timeout },
  async (t) => {
    const clock = new ManualClock();
    const live = await openLivePage(anywhere, clock);
    t.after(live.close);
    const made: ((page: string) => void)[] = [];
    live.show(() => new Promise((resolve) => made.push(resolve)));
    const text = async (): Promise<string> => (await fetch(live.url)).text();
    const first = text();
    const asked = (pages: number): Promise<boolean> =>
      eventually(`${String(pages)} made`, 10_000, () => (made.length === pages ? true : undefined));
    await asked(1);
    const second = text();
    clock.advance(500);
    made[0]?.('one');
    assert.deepEqual(await Promise.all([first, second]), ['one', 'one']);
    clock.advance(1999);
    assert.equal(await text(), 'one');
    clock.advance(1);
    const third = text();
    await asked(2);
    made[1]?.('two');
    assert.equal(await third, 'two');
  },
);

test('[LINK-16] a page that cannot be made is an answer, not the end of the run', async (t) => {
  const live = await openLivePage(anywhere, new ManualClock());
  t.after(live.close);
  live.show(() => Promise.reject(new TypeError('a bug')));
  const answer = await fetch(live.url);
  assert.equal(answer.status, 500);
  assert.match(await answer.text(), /cannot be made: a bug/);
});

test('[LINK-16] a port in use is one sentence with a way out, exit code 3', async (t) => {
  const live = await openLivePage(anywhere, new ManualClock());
  t.after(live.close);
  const port = Number(new URL(live.url).port);
  await assert.rejects(
    openLivePage({ host: undefined, port }, new ManualClock()),
    (thrown: unknown) => {
      assert.ok(thrown instanceof MusterError);
      assert.equal(thrown.exitCode, 3);
      assert.equal(
        thrown.message,
        `Cannot show the run on 127.0.0.1:${String(port)}: address already in use (EADDRINUSE)`,
      );
      assert.match(thrown.hint ?? '', /--ui :7763/);
      return true;
    },
  );
});

test('[LINK-16] after close nothing answers, also for a browser that kept its connection', async () => {
  const live = await openLivePage(anywhere, new ManualClock());
  live.show(() => Promise.resolve('here'));
  await fetch(live.url);
  live.close();
  await assert.rejects(fetch(live.url));
});
