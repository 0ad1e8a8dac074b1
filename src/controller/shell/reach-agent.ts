import { dialAgent } from '../../shared/wire/dial-agent.js';
import type { DialledAgent, DialOptions, OpenRequest } from '../../shared/wire/dial-agent.js';
import { DialError } from '../../shared/wire/dial-error.js';

const againMs = 200;

/**
 * At the start one broken connection fails no run: the agent is dialled again as long as there is time to connect, and
 * once in any case when it had taken the connection (this process may have slept, and the connection with it). It has
 * not been given a Confirm, so it does not have the run. Later on the run has a back-off of its own. @throws DialError
 */
export async function reachAgent(
  dial: DialOptions,
  request: OpenRequest,
  signal: AbortSignal,
): Promise<DialledAgent> {
  const { clock, connectMs } = dial;
  const untilMs = clock.nowMs() + connectMs;
  for (let tries = 1; ; tries += 1) {
    try {
      return await dialAgent(dial, request, signal);
    } catch (thrown) {
      const broke = thrown instanceof DialError && thrown.code === 'network';
      if (!broke || request.generation > 1) throw thrown;
      const isOwed = thrown.connected && tries === 1;
      if (!isOwed && clock.nowMs() + againMs >= untilMs) throw thrown;
    }
    await new Promise<void>((resolve) => clock.after(againMs, resolve));
  }
}
