import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { serveAgent } from '../../src/agent/shell/serve.js';
import type { ServeOptions, ServingAgent } from '../../src/agent/shell/serve.js';

/** The program of test/support/fake-runner.ts. */
export const fakeRunner = fileURLToPath(new URL('./fake-runner.js', import.meta.url));

export interface TestAgent extends ServingAgent {
  /** Its log, `level: line`. */
  readonly lines: string[];
}

/** An agent that serves on loopback in this process, as long as `use` takes; its log is shown when that fails. */
export async function withAgent(
  options: Partial<ServeOptions>,
  use: (agent: TestAgent) => Promise<void>,
): Promise<void> {
  const lines: string[] = [];
  const agent = await serveAgent({
    listen: { host: '127.0.0.1', port: 0 },
    once: false,
    id: 'agent-1',
    roots: [],
    env: process.env,
    clock: systemClock,
    log: (level, line) => lines.push(`${level}: ${line}`),
    ...options,
  });
  try {
    await use({ ...agent, lines });
  } catch (thrown) {
    process.stderr.write(`agent's log:\n${lines.join('\n')}\n`);
    throw thrown;
  } finally {
    agent.stop('end of the test');
    agent.stop('end of the test');
    await agent.left;
  }
}
