import type { AgentSession } from './agent-session.js';
import type { RunOptions } from './run-io.js';

/** An abort does not clean up, which can take long: what was made is left, and can be gone on with. */
export function datasetsLeft(
  sessions: readonly AgentSession[],
  options: Pick<RunOptions, 'mode' | 'cleanup'>,
): string | undefined {
  const makes = options.mode === 'prepare' || (options.mode === 'run' && options.cleanup);
  const left = sessions.filter((session) => session.hasDataset).map(({ id }) => id);
  if (!makes || left.length === 0) return undefined;
  const hint = 'the next prepare or run of this config goes on with it';
  return `The dataset stays on ${left.join(', ')}: ${hint}, "bench-controller cleanup" removes it`;
}
