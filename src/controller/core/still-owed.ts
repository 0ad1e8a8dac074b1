import { nounFor } from '../../shared/kernel/counted.js';

/** Where the last words of agents may still be that worked and never said them; undefined when there are none. */
export function stillOwed(agents: readonly string[], folder: string): string | undefined {
  if (agents.length === 0) return undefined;
  const hosts = nounFor(agents.length, 'its host', 'their hosts');
  return `What ${agents.join(', ')} reported last may still be on ${hosts}, for an hour: bench-controller recover ${folder}`;
}
