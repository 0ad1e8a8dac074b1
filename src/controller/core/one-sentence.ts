const mostNamed = 5;

/** Several causes as one sentence: the first five, and how many more there are. */
export function oneSentence(causes: readonly string[]): string {
  const named = causes.slice(0, mostNamed).join('; ');
  const more = causes.length - mostNamed;
  return more > 0 ? `${named}; and ${String(more)} more` : named;
}

/** `a, b and c`. */
export function enumerated(names: readonly string[]): string {
  return names.length < 2
    ? names.join('')
    : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}
