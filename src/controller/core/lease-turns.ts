import type { ControllerMessage } from '../../shared/model/messages.js';

type Lease = Extract<ControllerMessage, { kind: 'lease' }>;

const periodMs = 1000;
/** One waits for an acknowledgement, which is due in a second and a little, unless the last one is older than this. */
const freshMs = 2200;
/** Acknowledgements may come this often and more; each lease is another message to the workload process. */
const closestMs = 100;
/** An agent whose `lease` is shorter than this gets each one in its turn. */
const shortMs = 10_000;

/**
 * The leases of one agent, which are due once a second. One may go in place of a frame that only acknowledges; those whose
 * turns come shortly before and after are spared then, so that a fleet that reports every second, and is acknowledged every
 * other second, costs a frame in two seconds and agent, and not three. Two of them lie less than 3.3 s apart.
 */
export class LeaseTurns {
  readonly #spares: boolean;
  #newest: Lease | undefined;
  #sentAtMs = -Infinity;
  /** When one went in place of an acknowledgement. */
  #besideAtMs = -Infinity;

  constructor(leaseMs: number) {
    this.#spares = leaseMs >= shortMs;
  }

  /**
   * @param isAckDue what came is going to be acknowledged in a second or sooner
   * @returns true when this one, whose turn it is, is to be sent
   */
  inTurn(lease: Lease, nowMs: number, isAckDue: boolean): boolean {
    this.#newest = lease;
    if (nowMs - this.#besideAtMs < periodMs) return false;
    if (this.#spares && isAckDue && nowMs - this.#sentAtMs < freshMs) return false;
    this.#sentAtMs = nowMs;
    return true;
  }

  /** The one to go in place of an acknowledgement. */
  besidesAck(nowMs: number): Lease | undefined {
    if (!this.#spares || !this.#newest || nowMs - this.#sentAtMs < closestMs) return undefined;
    this.#sentAtMs = nowMs;
    this.#besideAtMs = nowMs;
    return this.#newest;
  }
}
