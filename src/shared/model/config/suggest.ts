/** `did you mean "threads"?`, or the keys there are. */
export function suggestion(word: string, known: readonly string[]): string {
  const ranked = known
    .map((key) => ({ key, distance: editDistance(word.toLowerCase(), key) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  // Two neighbours swapped are two edits.
  const near = word.length <= 3 ? 1 : Math.max(2, Math.floor(word.length / 3));
  if (best !== undefined && best.distance <= near) return `did you mean "${best.key}"?`;
  return `known here: ${known.join(', ')}`;
}

/** Levenshtein: insertions, deletions and replacements of one character. */
export function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
