export interface Reached {
  /** Of the agent's process; undefined: nobody was reached. */
  readonly instanceId: string | undefined;
  readonly address: string;
}

/** Two entries that reach one agent would count its load twice, or not at all. @returns each group with what to do about it */
export function sameAgentTwice<T>(
  all: readonly T[],
  reachedBy: (one: T) => Reached,
): { readonly members: readonly T[]; readonly line: string }[] {
  const byInstance = new Map<string, T[]>();
  for (const one of all) {
    const { instanceId } = reachedBy(one);
    if (instanceId === undefined) continue;
    const group = byInstance.get(instanceId);
    if (group) group.push(one);
    else byInstance.set(instanceId, [one]);
  }
  return [...byInstance.values()]
    .filter((members) => members.length > 1)
    .map((members) => {
      const addresses = members.map((one) => reachedBy(one).address).join(' and ');
      return { members, line: `${addresses} are the same agent: name it once` };
    });
}
