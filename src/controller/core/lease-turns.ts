import type { ControllerMessage } from '../../shared/model/messages.js';

type Lease = Extract<ControllerMessage, { kind: 'lease' }>;

/** Of what an agent reports every second every other one is acknowledged: those lie two seconds apart, and a little. */
const sparedMs = 2200;
/** Acknowledgements may come this often and more; each lease is another message to the workload process. */
const closestMs = 100;
/** An agent whose `lease` is shorter than this gets each one in its turn. */
const shortMs = 10_000;

/**
 * The leases of one agent, which are due once a second. One may go in place of a frame that only acknowledges; those whose
 * turns come next are spared then, so that a fleet that reports every second costs a frame in two seconds and agent, and
 * not three. Two of them lie less than 3.2 s apart.
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

  /** @returns true when this one, whose turn it is, is to be sent */
  inTurn(lease: Lease, nowMs: number): boolean {
    this.#newest = lease;
    if (nowMs - this.#besideAtMs < sparedMs) return false;
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
