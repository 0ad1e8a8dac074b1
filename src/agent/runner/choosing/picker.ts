/**
 * Says which place comes next, 0 … the number of places-1. A place is a block, or a file for operations on whole
 * files. One per worker and kind of operation.
 */
export interface Picker {
  /** Hot path: no allocation. */
  next(): number;
}
