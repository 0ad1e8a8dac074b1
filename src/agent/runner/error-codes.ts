import os from 'node:os';
import { codeOf, unnamedErrors } from '../../shared/kernel/errors.js';

/**
 * Codes by which failed operations are counted, in the order of the counters in shared memory. SHORT: fewer bytes than
 * asked for. OTHER: a system error without a name here. TIMEOUT: done, but later than timeouts.operation allows. verify: read
 * what was not written.
 */
export const errorCodes: readonly string[] = [
  'SHORT',
  'OTHER',
  'TIMEOUT',
  'verify',
  ...new Set([...Object.keys(os.constants.errno), ...unnamedErrors.map(({ code }) => code)]),
];

export const shortSlot = 0;
export const otherSlot = 1;
export const timeoutSlot = 2;
export const verifySlot = 3;

const slots: ReadonlyMap<string, number> = new Map(errorCodes.map((code, slot) => [code, slot]));

export function slotOf(code: string): number {
  return slots.get(code) ?? otherSlot;
}

/** The counter of a thrown system error; whatever else was thrown is a bug and is thrown on. */
export function errorSlotOf(thrown: unknown): number {
  const code = codeOf(thrown);
  if (code === undefined || !(thrown instanceof Error) || !('errno' in thrown)) throw thrown;
  return slotOf(code);
}
