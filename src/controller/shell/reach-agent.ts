import { dialAgent } from '../../shared/wire/dial-agent.js';
import type { DialledAgent, DialOptions, OpenRequest } from '../../shared/wire/dial-agent.js';
import { DialError } from '../../shared/wire/dial-error.js';

const againMs = 200;

/**
 * At the start one broken connection fails no run: the agent is dialled again as long as there is time to connect, and
 * once in any case when it had taken the connection (this process may have slept, and the connection with it). It has
 * not been given a Confirm, so it does not have the run. Later on the run has a back-off of its own.
 *
 * Of two runs that are started at the same moment each may get an agent that the other wants: the one with the lower id
 * fails, and the other one dials again until then. @throws DialError
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
      if (!(thrown instanceof DialError) || request.generation > 1) throw thrown;
      const { code, connected, rival } = thrown;
      const mayBeLetGo = rival !== undefined && rival.runId < request.runId;
      if (code !== 'network' && !mayBeLetGo) throw thrown;
      const isOwed = code === 'network' && connected && tries === 1;
      if (!isOwed && clock.nowMs() + againMs >= untilMs) throw thrown;
    }
    await new Promise<void>((resolve) => clock.after(againMs, resolve));
  }
}
