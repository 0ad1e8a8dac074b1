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
 * fails, and the other one dials again until then, for as long as a run has to connect. @throws DialError
 */
export async function reachAgent(
  dial: DialOptions,
  request: OpenRequest,
  signal: AbortSignal,
): Promise<DialledAgent> {
  const { clock, connectMs } = dial;
  const startMs = clock.nowMs();
  let refusedAtMs: number | undefined;
  for (let tries = 1; ; tries += 1) {
    try {
      return await dialAgent(dial, request, signal);
    } catch (thrown) {
      if (!(thrown instanceof DialError)) throw thrown;
      const { code, connected, owner, state } = thrown;
      const isRival = owner !== undefined && state === 'IDLE' && owner.runId < request.runId;
      // Later on, too, when the rival's Confirm was the first to be there: the run has not had the agent yet.
      const mayBeLetGo = isRival && request.received === 0n;
      if (mayBeLetGo) refusedAtMs ??= clock.nowMs();
      else if (code !== 'network' || request.generation > 1) throw thrown;
      const isOwed = code === 'network' && connected && tries === 1;
      const untilMs = (refusedAtMs ?? startMs) + connectMs;
      if (!isOwed && clock.nowMs() + againMs >= untilMs) throw thrown;
    }
    await new Promise<void>((resolve) => clock.after(againMs, resolve));
  }
}
