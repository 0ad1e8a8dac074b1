/** No recorded value. */
export const noBuckets: Buckets = {
  indexes: new Uint16Array(),
  counts: new Float64Array(),
  length: 0,
  total: 0,
};

/** A decoded histogram in two columns: non-empty buckets, ascending. Cheap to make, to read and to add to another. */
export interface Buckets {
  readonly indexes: Uint16Array;
  readonly counts: Float64Array;
  /** How many of the entries are in use. */
  readonly length: number;
  /** Sum of the counts. */
  readonly total: number;
}

/** The sum of two. */
export function addBuckets(a: Buckets, b: Buckets): Buckets {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const most = a.length + b.length;
  const indexes = new Uint16Array(most);
  const counts = new Float64Array(most);
  let length = 0;
  let fromA = 0;
  let fromB = 0;
  while (fromA < a.length || fromB < b.length) {
    // Above every index when a side is used up.
    const indexA = fromA < a.length ? (a.indexes[fromA] ?? 0) : 65_536;
    const indexB = fromB < b.length ? (b.indexes[fromB] ?? 0) : 65_536;
    let count = 0;
    if (indexA <= indexB) count += a.counts[fromA++] ?? 0;
    if (indexB <= indexA) count += b.counts[fromB++] ?? 0;
    indexes[length] = Math.min(indexA, indexB);
    counts[length] = count;
    length += 1;
  }
  return { indexes, counts, length, total: a.total + b.total };
}
