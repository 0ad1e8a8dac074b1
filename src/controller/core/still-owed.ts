import { nounFor } from '../../shared/kernel/counted.js';

/** Where the last words of agents may still be that worked and never said them; undefined when there are none. */
export function stillOwed(agents: readonly string[], folder: string): string | undefined {
  if (agents.length === 0) return undefined;
  const hosts = nounFor(agents.length, 'its host', 'their hosts');
  return `What ${agents.join(', ')} reported last may still be on ${hosts}, for an hour: bench-controller recover ${folder}`;
}

/** Where all of a run still is that its results disk did not take. */
export function stillKept(folder: string): string {
  return `The agents keep what they reported, for an hour; when the disk takes writes again: bench-controller recover ${folder}`;
}
