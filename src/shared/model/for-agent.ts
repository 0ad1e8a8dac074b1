/** A path of the config with {agent} and {index} put in. */
export function forAgent(
  text: string,
  agent: { readonly id: string; readonly index: number },
): string {
  return text.replaceAll('{agent}', agent.id).replaceAll('{index}', String(agent.index));
}
