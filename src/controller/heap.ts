import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Both halves of the new space together; V8's own limit is twice to four times as much. */
const newSpaceBytes = 16 * 2 ** 20;
/** More than fill it: should it not grow, the program starts all the same. */
const mostBlocks = (2 * newSpaceBytes) / 8000;

/**
 * Keeps the heap of this process small, for the price of some CPU time: with a thousand agents 270 MiB for 410, see
 * docs/benchmarks.md. V8 collects the old space when it has grown by 40 %, and not by far more, and the new space grows
 * to `newSpaceBytes` and no further: a limit could only be given on node's command line, which is the user's, but the
 * factor of its growth is read each time. One thread collects it; there is so little in it that several cost more than
 * they save. Of a process that allocates little V8 takes some of it back, for good: it needs no more then. Node 20, 22 and
 * 24 know the flags.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--heap-growing-percent=40');
  setFlagsFromString('--no-parallel-scavenge');
  const alive: number[][] = [];
  // It doubles at the collection that finds it too full: here, once, in some 5 ms.
  while (newSpace() < newSpaceBytes && alive.length < mostBlocks)
    alive.push(new Array<number>(1000).fill(0));
  setFlagsFromString('--semi-space-growth-factor=1');
}

function newSpace(): number {
  const spaces = getHeapSpaceStatistics();
  return spaces.find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}
