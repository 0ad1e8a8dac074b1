import { AckTimer } from './ack-timer.js';

/** How far one stream had been read at one moment: what `confirm` makes known to the peer. */
export interface Taken {
  readonly generation: number | undefined;
  readonly ack: bigint;
  readonly seen: bigint;
  /** Bytes of payloads since the reading before, which want an acknowledgement; undefined: none of them does. */
  readonly bulk: number | undefined;
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
  #unconfirmedBulk: number | undefined;

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
  received(bulk: number, nowMs: number): void {
    if (this.#confirms) this.#unconfirmedBulk = (this.#unconfirmedBulk ?? 0) + bulk;
    else this.#timer.received(bulk, nowMs);
  }

  take(generation: number | undefined): Taken {
    const { received: ack, seen } = this.#reading;
    const bulk = this.#unconfirmedBulk;
    this.#unconfirmedBulk = undefined;
    return { generation, ack, seen, bulk };
  }

  /** @param present generation of the stream of now */
  confirm(
    { generation, ack, seen, bulk }: Taken,
    present: number | undefined,
    nowMs: number,
  ): void {
    if (!this.#confirms) return;
    if (ack > this.#confirmedAck) this.#confirmedAck = ack;
    if (generation !== present) return;
    if (seen > this.#confirmedSeen) this.#confirmedSeen = seen;
    if (bulk !== undefined) this.#timer.received(bulk, nowMs);
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
