/**
 * Work in pieces of a few milliseconds: whoever runs it may turn to other things at each `yield`. What it reads may have
 * grown meanwhile.
 */
export type Pieces<T> = Generator<undefined, T, undefined>;

/** Piece after piece, for those who have nothing else to do. */
export function atOnce<T>(pieces: Pieces<T>): T {
  for (;;) {
    const piece = pieces.next();
    if (piece.done === true) return piece.value;
  }
}
