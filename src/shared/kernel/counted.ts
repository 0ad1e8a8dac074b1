/** `1 agent`, `7 agents`; `more` where an s does not make the plural: `1 entry`, `2 entries`. */
export function counted(count: number, one: string, more = `${one}s`): string {
  return `${String(count)} ${nounFor(count, one, more)}`;
}

/** The noun alone, for a number that is written in a way of its own. */
export function nounFor(count: number, one: string, more = `${one}s`): string {
  return count === 1 ? one : more;
}
