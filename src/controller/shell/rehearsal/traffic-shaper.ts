import type { Socket } from 'node:net';
import type { Cancel, Clock } from '../../../shared/kernel/clock.js';

/** How bytes travel one way. What is not given is as on a sound link. */
export interface Shape {
  readonly bytesPerSecond?: number;
  readonly delayMs?: number;
  /** Bytes are taken and vanish. */
  readonly blackhole?: boolean;
  /** Bytes wait and arrive late, as behind a route that is gone and comes back: TCP sends them again. */
  readonly stalled?: boolean;
  /** Every n-th byte arrives with one bit flipped. */
  readonly flipEvery?: number;
}

/** Bytes that may wait in here: as on a real link, the sender is held up when there are more. */
const mostWaiting = 64 * 1024;
const slotMs = 10;

interface Piece {
  readonly bytes: Buffer;
  readonly dueMs: number;
}

/** Moves what arrives on one socket to another: late, slowly, damaged or not at all. */
export class TrafficShaper {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #clock: Clock;
  #shape: Shape;
  #waiting: Piece[] = [];
  #waitingBytes = 0;
  #freeAtMs = 0;
  #timer: Cancel | undefined;
  #ended = false;
  #untilFlip = 0;
  /** Bytes handed on. */
  passed = 0;
  flippedBits = 0;

  constructor(from: Socket, to: Socket, shape: Shape, clock: Clock) {
    this.#from = from;
    this.#to = to;
    this.#shape = shape;
    this.#clock = clock;
    from.on('data', (bytes: Buffer) => {
      this.#take(bytes);
    });
    from.on('end', () => {
      this.#ended = true;
      this.#move();
    });
    to.on('drain', () => {
      this.#move();
    });
  }

  change(shape: Shape): void {
    this.#shape = shape;
    this.#freeAtMs = 0;
    this.#timer?.();
    this.#timer = undefined;
    this.#move();
  }

  stop(): void {
    this.#timer?.();
    this.#timer = undefined;
    this.#waiting = [];
  }

  #take(bytes: Buffer): void {
    const { blackhole = false, delayMs = 0 } = this.#shape;
    if (blackhole) return;
    this.#waiting.push({ bytes: this.#damage(bytes), dueMs: this.#clock.nowMs() + delayMs });
    this.#waitingBytes += bytes.length;
    // With a delay, what is on its way may be as much as the rate allows.
    if (this.#waitingBytes > mostWaiting && delayMs === 0) this.#from.pause();
    this.#move();
  }

  #damage(bytes: Buffer): Buffer {
    const { flipEvery = Infinity } = this.#shape;
    if (flipEvery === Infinity) return bytes;
    const damaged = Buffer.from(bytes);
    for (let index = 0; index < damaged.length; index += 1) {
      this.#untilFlip += 1;
      if (this.#untilFlip < flipEvery) continue;
      this.#untilFlip = 0;
      this.flippedBits += 1;
      damaged[index] = (damaged[index] ?? 0) ^ 0x10;
    }
    return damaged;
  }

  #move(): void {
    if (this.#timer || this.#shape.stalled === true) return;
    const nowMs = this.#clock.nowMs();
    for (let piece = this.#waiting[0]; piece; piece = this.#waiting[0]) {
      const atMs = Math.max(piece.dueMs, this.#freeAtMs);
      if (atMs > nowMs) {
        this.#timer = this.#clock.after(atMs - nowMs, () => {
          this.#timer = undefined;
          this.#move();
        });
        return;
      }
      if (this.#to.writableNeedDrain) return;
      this.#pass(piece, nowMs);
    }
    if (this.#ended) this.#to.end();
  }

  /** Hands on as much of the piece as the rate allows in one slot. */
  #pass({ bytes, dueMs }: Piece, nowMs: number): void {
    const { bytesPerSecond = Infinity } = this.#shape;
    const share = Math.max(1, Math.floor((bytesPerSecond * slotMs) / 1000));
    const now = bytes.subarray(0, Math.min(share, bytes.length));
    if (now.length === bytes.length) this.#waiting.shift();
    else this.#waiting[0] = { bytes: bytes.subarray(now.length), dueMs };
    this.#freeAtMs = Math.max(nowMs, this.#freeAtMs) + (now.length * 1000) / bytesPerSecond;
    this.#waitingBytes -= now.length;
    this.passed += now.length;
    this.#to.write(now);
    if (this.#waitingBytes <= mostWaiting / 2) this.#from.resume();
  }
}
