import { AckTimer } from './ack-timer.js';

/** How far one stream had been read at one moment: what `confirm` makes known to the peer. */
export interface Taken {
  readonly generation: number | undefined;
  readonly ack: bigint;
  readonly seen: bigint;
  /** Undefined: the frame that was read last wants no acknowledgement. */
  readonly owed: Owed | undefined;
}

/** A frame that wants to be acknowledged. */
export interface Owed {
  /** Of its payload. */
  readonly bytes: number;
  /** Its sender waits for nothing: in a second is soon enough. */
  readonly isPatient: boolean;
}

/** What was received, and how far the present stream was read. */
interface Reading {
  readonly received: bigint;
  readonly seen: bigint;
}

/** What the peer is told to have arrived, all that did or only what the application has confirmed, and when. */
export class Acknowledgements {
  readonly #reading: Reading;
  readonly #confirms: boolean;
  readonly #timer = new AckTimer();
  #confirmedAck = 0n;
  #confirmedSeen = 0n;
  #unconfirmed: Owed | undefined;

  constructor(reading: Reading, confirms: boolean) {
    this.#reading = reading;
    this.#confirms = confirms;
  }

  /** Highest contiguous reliable number that may be acknowledged. */
  get ack(): bigint {
    return this.#confirms ? this.#confirmedAck : this.#reading.received;
  }

  /** Sequence on the present stream up to which all may be acknowledged. */
  get seen(): bigint {
    return this.#confirms ? this.#confirmedSeen : this.#reading.seen;
  }

  /** @param before frames that the peer's part of the handshake took on the new stream */
  restart(before: bigint): void {
    this.#confirmedSeen = before;
    this.#timer.wrote();
  }

  /** A frame came that wants an acknowledgement. */
  received(owed: Owed, nowMs: number): void {
    if (this.#confirms) this.#unconfirmed = owed;
    else this.#timer.received(owed.bytes, owed.isPatient, nowMs);
  }

  take(generation: number | undefined): Taken {
    const { received: ack, seen } = this.#reading;
    const owed = this.#unconfirmed;
    this.#unconfirmed = undefined;
    return { generation, ack, seen, owed };
  }

  /** @param present generation of the stream of now */
  confirm(
    { generation, ack, seen, owed }: Taken,
    present: number | undefined,
    nowMs: number,
  ): void {
    if (!this.#confirms) return;
    if (ack > this.#confirmedAck) this.#confirmedAck = ack;
    if (generation !== present) return;
    if (seen > this.#confirmedSeen) this.#confirmedSeen = seen;
    if (owed) this.#timer.received(owed.bytes, owed.isPatient, nowMs);
  }

  /** Any frame acknowledges. */
  wrote(): void {
    this.#timer.wrote();
  }

  /** When to acknowledge with a frame of its own. */
  dueMs(): number | undefined {
    return this.#timer.dueMs();
  }
}
