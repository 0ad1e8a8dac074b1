import { MusterError } from '../../shared/kernel/errors.js';
import { exitCodes } from '../../shared/model/outcome.js';

const mostAgents = 10_000;

/** `node[01-03]:7761` → three addresses; the width of the first number is kept. The port defaults to 7761. */
export function expandAddresses(text: string): readonly string[] {
  const match = /\[(\d+)-(\d+)\]/.exec(text);
  if (match === null) return [text.includes(':') ? text : `${text}:7761`];
  const [range, from = '', to = ''] = match;
  const first = Number(from);
  const last = Number(to);
  if (last < first || last - first >= mostAgents) {
    throw new MusterError(`"${text}": the range ${range} is empty or too long`, {
      exitCode: exitCodes.usage,
    });
  }
  return Array.from({ length: last - first + 1 }, (_, i) =>
    text.replace(range, String(first + i).padStart(from.length, '0')),
  ).flatMap(expandAddresses);
}
