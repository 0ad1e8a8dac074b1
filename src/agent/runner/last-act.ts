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
  let code: string | undefined;
  const { cells, starts } = memory;
  const startNs = clock.now();
  starts[0] = startNs;
  try {
    engine.finish();
  } catch (error) {
    const errorSlot = errorSlotOf(error);
    new Recorder(memory).failed(slot, errorSlot, clock.now() - startNs);
    code = errorCodes[errorSlot];
  }
  cells[lastEnd] = clock.now();
  starts[0] = 0;
  return code;
}
