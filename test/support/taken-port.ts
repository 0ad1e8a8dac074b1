import { once } from 'node:events';
import { createServer } from 'node:net';
import type { TestContext } from 'node:test';
import { codeOf } from '../../src/shared/kernel/errors.js';

/** Nobody else can listen on the port during the test; it may be that somebody does so already. */
export async function takenPort(t: TestContext, port: number, host: string): Promise<void> {
  const holder = createServer().listen(port, host);
  try {
    await once(holder, 'listening');
  } catch (thrown) {
    if (codeOf(thrown) === 'EADDRINUSE') return;
    throw thrown;
  }
  t.after(() => holder.close());
}
