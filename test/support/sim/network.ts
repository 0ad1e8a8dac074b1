import type { World } from './world.js';

export type End = 'controller' | 'agent';

const other: Readonly<Record<End, End>> = { controller: 'agent', agent: 'controller' };

/** What a receiver of one end does; both arrive at a process, which may be frozen. */
export interface Receiver {
  frame(bytes: Buffer): void;
  closed(reason: string): void;
}

/** What may happen to each frame on the way between two hosts. */
export interface FrameFaults {
  readonly corrupt: number;
  readonly drop: number;
  readonly repeat: number;
}

export const noFrameFaults: FrameFaults = { corrupt: 0, drop: 0, repeat: 0 };

/** The path between the controller's host and one agent's host. */
export class Path {
  readonly #world: World;
  delayMs: number;
  jitterMs: number;
  faults: FrameFaults = noFrameFaults;
  /** Until then nothing gets through in that direction; TCP delivers it afterwards. */
  readonly blockedUntilMs: Record<End, number> = { controller: 0, agent: 0 };
  /** Until then connections are refused, as by a firewall that answers. */
  refusedUntilMs = 0;
  /** In each direction; what does not fit waits at the sender. */
  bytesPerSecond = Infinity;
  /** What a sender's socket takes before it says that it is full, as time on the line. */
  bufferedMs = 100;
  readonly #streams = new Set<Stream>();

  constructor(world: World, delayMs: number, jitterMs: number) {
    this.#world = world;
    this.delayMs = delayMs;
    this.jitterMs = jitterMs;
  }

  /** When something sent now arrives at the other end. */
  arrivalFrom(from: End): number {
    const delay = this.delayMs + this.#world.random.next() * this.jitterMs;
    return Math.max(this.#world.nowMs, this.blockedUntilMs[from]) + delay;
  }

  connect(): Stream {
    const stream = new Stream(this.#world, this);
    this.#streams.add(stream);
    stream.whenGone(() => this.#streams.delete(stream));
    return stream;
  }

  /** Every stream is reset; both ends hear of it. */
  cut(): void {
    for (const stream of [...this.#streams]) stream.reset('connection reset');
  }
}

/** One connection: in order in each direction, and either end may close it. */
export class Stream {
  readonly #world: World;
  readonly #path: Path;
  readonly #receivers: Partial<Record<End, Receiver>> = {};
  readonly #lastArrivalMs: Record<End, number> = { controller: 0, agent: 0 };
  readonly #closed: Record<End, boolean> = { controller: false, agent: false };
  /** When the line has carried what was written so far. */
  readonly #lineFreeMs: Record<End, number> = { controller: 0, agent: 0 };
  readonly #awaitsDrain: Record<End, boolean> = { controller: false, agent: false };
  #gone: () => void = () => undefined;

  constructor(world: World, path: Path) {
    this.#world = world;
    this.#path = path;
  }

  attach(end: End, receiver: Receiver): void {
    this.#receivers[end] = receiver;
  }

  whenGone(gone: () => void): void {
    this.#gone = gone;
  }

  isOpen(end: End): boolean {
    return !this.#closed[end];
  }

  /** As a call whose write() returned false: nothing more is to be written until `drained` is called, once. */
  isFull(from: End, drained: () => void): boolean {
    const untilMs = this.#lineFreeMs[from] - this.#path.bufferedMs;
    if (untilMs <= this.#world.nowMs || this.#closed[from]) return false;
    if (this.#awaitsDrain[from]) return true;
    this.#awaitsDrain[from] = true;
    this.#world.at(untilMs, () => {
      this.#awaitsDrain[from] = false;
      // No drain is ever told of a stream that is gone.
      if (!this.#closed[from]) drained();
    });
    return true;
  }

  /** It said that it is full, and has not drained. */
  awaitsDrain(from: End): boolean {
    return this.#awaitsDrain[from];
  }

  write(from: End, bytes: Buffer): void {
    if (this.#closed[from]) return;
    const { bytesPerSecond } = this.#path;
    const line = Math.max(this.#lineFreeMs[from], this.#world.nowMs);
    this.#lineFreeMs[from] = line + (bytes.length / bytesPerSecond) * 1000;
    const { random } = this.#world;
    const { corrupt, drop, repeat } = this.#path.faults;
    if (random.chance(drop)) return;
    const sent = random.chance(corrupt) ? damaged(bytes, random.whole(0, bytes.length - 1)) : bytes;
    this.#deliver(from, (receiver) => receiver.frame(sent));
    if (random.chance(repeat)) this.#deliver(from, (receiver) => receiver.frame(sent));
  }

  /** Part of the handshake: in order with what is written, and before there is a receiver. */
  handshake(from: End, arrive: () => void): void {
    if (this.#closed[from] || this.#lastArrivalMs[from] === Infinity) return;
    const atMs = Math.max(this.#path.arrivalFrom(from), this.#lastArrivalMs[from]);
    this.#lastArrivalMs[from] = atMs;
    this.#world.at(atMs, () => {
      if (!this.#closed[other[from]] && this.#lastArrivalMs[from] !== Infinity) arrive();
    });
  }

  /** What was written before still arrives. */
  close(from: End, reason: string): void {
    if (this.#closed[from]) return;
    this.#closed[from] = true;
    this.#deliver(from, (receiver) => {
      this.#closeEnd(other[from], receiver, reason);
    });
    if (this.#closed[other[from]]) this.#gone();
  }

  /** Broken in the middle: what is under way is lost, both ends hear of it. */
  reset(reason: string): void {
    this.#gone();
    for (const end of ['controller', 'agent'] as const) {
      const receiver = this.#receivers[end];
      const delay = this.#world.random.between(0, 5);
      this.#lastArrivalMs[other[end]] = Infinity;
      this.#world.after(delay, () => {
        if (receiver) this.#closeEnd(end, receiver, reason);
        else this.#closed[end] = true;
      });
    }
  }

  /** The process at that end is gone: its kernel resets the connection. */
  processDied(end: End): void {
    this.close(end, 'connection reset by peer');
  }

  #closeEnd(end: End, receiver: Receiver, reason: string): void {
    if (this.#closed[end]) return;
    this.#closed[end] = true;
    this.#gone();
    receiver.closed(reason);
  }

  #deliver(from: End, arrive: (receiver: Receiver) => void): void {
    if (this.#lastArrivalMs[from] === Infinity) return;
    const queuedMs = Math.max(0, this.#lineFreeMs[from] - this.#world.nowMs);
    const atMs = Math.max(this.#path.arrivalFrom(from) + queuedMs, this.#lastArrivalMs[from]);
    this.#lastArrivalMs[from] = atMs;
    this.#world.at(atMs, () => {
      const to = other[from];
      const receiver = this.#receivers[to];
      if (receiver && !this.#closed[to] && this.#lastArrivalMs[from] !== Infinity) arrive(receiver);
    });
  }
}

function damaged(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x55;
  return copy;
}
