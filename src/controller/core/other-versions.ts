/** Agents of another version than their controller: what both do alike is not what both count alike. */
import { counted } from '../../shared/kernel/counted.js';

export interface VersionedAgent {
  readonly id: string;
  /** Undefined when it was never heard of. */
  readonly version: string | undefined;
}

const mostNamed = 5;

/** One sentence; none when all have the controller's version. */
export function otherVersions(
  agents: readonly VersionedAgent[],
  controller: string,
): readonly string[] {
  const others = agents.flatMap(({ id, version }) =>
    version === undefined || version === '' || version === controller ? [] : [`${id} ${version}`],
  );
  if (others.length === 0) return [];
  const more = others.length - mostNamed;
  const named = others.slice(0, mostNamed).join(', ');
  return [
    `${counted(others.length, 'agent runs', 'agents run')} another version of Muster than the controller (${controller}): ${named}${more > 0 ? ` and ${String(more)} more` : ''}`,
  ];
}
