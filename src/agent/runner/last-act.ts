import type { Engine } from '../engines/engine.js';
import type { ClockBase } from './clock-base.js';
import { errorCodes, errorSlotOf } from './error-codes.js';
import { lastEnd } from './lane-memory.js';
import type { LaneMemory } from './lane-memory.js';
import { Recorder } from './recorder.js';

/**
 * What a lane does after its last operation: what `fsync: end` asks for. It counts into the stage's last done, and its
 * errors for the kind of `slot`.
 * @returns the code of its error. @throws what is no system error
 */
export function lastAct(
  engine: Engine,
  memory: LaneMemory,
  clock: ClockBase,
  slot: number,
): string | undefined {
  const { cells, starts } = memory;
  starts[0] = clock.now();
  const code = codeOfAct(
    () => {
      engine.finish();
    },
    memory,
    clock,
    slot,
  );
  cells[lastEnd] = clock.now();
  starts[0] = 0;
  return code;
}

/**
 * Closes the files, which is no part of the load. Where writes are kept back (NFS) it may tell of those that did not make
 * it to the storage: an error, as of `lastAct`.
 */
export function closeFiles(
  engine: Engine,
  memory: LaneMemory,
  clock: ClockBase,
  slot: number,
): string | undefined {
  return codeOfAct(
    () => {
      engine.close();
    },
    memory,
    clock,
    slot,
  );
}

function codeOfAct(
  act: () => void,
  memory: LaneMemory,
  clock: ClockBase,
  slot: number,
): string | undefined {
  const startNs = clock.now();
  try {
    act();
    return undefined;
  } catch (error) {
    const errorSlot = errorSlotOf(error);
    new Recorder(memory).failed(slot, errorSlot, clock.now() - startNs);
    return errorCodes[errorSlot];
  }
}
