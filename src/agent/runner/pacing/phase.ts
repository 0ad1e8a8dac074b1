/** An agent's part of a rate: number `index` of `count` equal ones. */
export interface RateShare {
  readonly index: number;
  readonly count: number;
}

/** A lane's part of the run's rate. */
export function laneShare({ count }: RateShare, lanes: number): number {
  return 1 / (count * lanes);
}

/** The place of a lane between two operations of its own, so that those of all lanes come evenly: 0 … 1. */
export function lanePhase({ index, count }: RateShare, lane: number, lanes: number): number {
  return (lane + index / count) / lanes;
}
