const mostCauses = 5;
/** More names than this make a line nobody reads; each agent has a line of its own above. */
const mostNames = 10;
const byName = new Intl.Collator('en', { numeric: true });

/** Several causes as one sentence: the first five, and how many more there are. Agents with the same cause share one. */
export function oneSentence(causes: readonly string[]): string {
  const groups = grouped(causes);
  const named = groups.slice(0, mostCauses).join('; ');
  const more = groups.length - mostCauses;
  return more > 0 ? `${named}; and ${String(more)} more` : named;
}

/** `a, b and c`. */
export function enumerated(names: readonly string[]): string {
  return names.length < 2
    ? names.join('')
    : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

/** What is said of one alone, up to the colon before a reason or at once after it: for several the words would be others. */
const singular = /^(?:[^:]*\b(?:its?|is|was|has|does)\b|: its?\b)/u;

/**
 * `Agent a failed: x` and `Agent b failed: x`: `Agents a and b failed: x`; but `Each of the agents a and b is lost: x`.
 */
function grouped(causes: readonly string[]): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const cause of causes) {
    const [, name, what] = /^Agent (\S+?)(:? .*)$/su.exec(cause) ?? [];
    const names = groups.get(what ?? cause) ?? [];
    groups.set(what ?? cause, names);
    if (name !== undefined) names.push(name);
  }
  return [...groups].map(([what, names]) => {
    names.sort(byName.compare);
    if (names.length < 2) return names[0] === undefined ? what : `Agent ${names[0]}${what}`;
    const who = singular.test(what) ? 'Each of the agents' : 'Agents';
    const left = names.length - mostNames;
    return left > 1
      ? `${who} ${enumerated([...names.slice(0, mostNames), `${String(left)} more`])}${what}`
      : `${who} ${enumerated(names)}${what}`;
  });
}
