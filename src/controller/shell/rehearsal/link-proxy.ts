/**
 * A TCP proxy on 127.0.0.1 that misbehaves on command, for anything that dials an address: real binaries too.
 * "up" is from the client to the target (controller to agent), "down" the way back.
 */
import { createServer, connect } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Clock } from '../../../shared/kernel/clock.js';
import { TrafficShaper } from './traffic-shaper.js';
import type { Shape } from './traffic-shaper.js';

export type Way = 'up' | 'down';

interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  readonly shapers: Readonly<Record<Way, TrafficShaper>>;
}

export class LinkProxy {
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #pairs = new Set<Pair>();
  readonly #shapes: Record<Way, Shape> = { up: {}, down: {} };
  readonly #closedBytes: Record<Way, number> = { up: 0, down: 0 };
  #closedFlips = 0;
  #refusing = false;
  /** Connections taken so far. */
  connections = 0;

  private constructor(server: Server, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
  }

  static async start(
    target: { readonly host?: string; readonly port: number },
    clock: Clock,
  ): Promise<LinkProxy> {
    // allowHalfOpen: one side's FIN must travel through, not end both.
    const server = createServer({ allowHalfOpen: true });
    const proxy = new LinkProxy(server, clock);
    server.on('connection', (client) => {
      proxy.#take(client, target);
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Bytes that have gone through, per way, over all connections. */
  bytes(way: Way): number {
    const open = [...this.#pairs].reduce((sum, pair) => sum + pair.shapers[way].passed, 0);
    return open + this.#closedBytes[way];
  }

  /** Over all connections so far. */
  get flippedBits(): number {
    const shapers = [...this.#pairs].flatMap((pair) => [pair.shapers.up, pair.shapers.down]);
    return this.#closedFlips + shapers.reduce((sum, one) => sum + one.flippedBits, 0);
  }

  /** Changes how open and future connections behave one way; what is not named stays. */
  shape(way: Way, shape: Shape): void {
    Object.assign(this.#shapes[way], shape);
    for (const pair of this.#pairs) pair.shapers[way].change(this.#shapes[way]);
  }

  /** Both ways. */
  shapeBoth(shape: Shape): void {
    this.shape('up', shape);
    this.shape('down', shape);
  }

  /** Nothing gets through that way any more; the connections stay open, and nobody is told. */
  blackhole(way: Way): void {
    this.shape(way, { blackhole: true });
  }

  /** Both ends of every connection see a reset. */
  reset(): void {
    for (const { client, target } of this.#pairs) {
      client.resetAndDestroy();
      target.resetAndDestroy();
    }
  }

  /** Closes every connection in the ordinary way (FIN), in the middle of whatever it was doing. */
  drop(): void {
    for (const { client, target } of this.#pairs) {
      client.destroy();
      target.destroy();
    }
  }

  /** New connections are reset at once (true) or served again (false). */
  refuse(refusing: boolean): void {
    this.#refusing = refusing;
  }

  /** Undoes every misbehaviour of connections that are still open. */
  heal(): void {
    this.#refusing = false;
    const sound: Required<Shape> = {
      bytesPerSecond: Infinity,
      delayMs: 0,
      blackhole: false,
      stalled: false,
      flipEvery: Infinity,
    };
    this.shapeBoth(sound);
  }

  /** New connections are sound; those that are open stay as they are. */
  healNew(): void {
    this.#refusing = false;
    for (const way of ['up', 'down'] as const) this.#shapes[way] = {};
  }

  async close(): Promise<void> {
    this.drop();
    await new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
  }

  #take(client: Socket, to: { readonly host?: string; readonly port: number }): void {
    this.connections += 1;
    if (this.#refusing) {
      client.on('error', ignore);
      client.resetAndDestroy();
      return;
    }
    const target = connect({ host: to.host ?? '127.0.0.1', port: to.port, allowHalfOpen: true });
    const shapers = {
      up: new TrafficShaper(client, target, this.#shapes.up, this.#clock),
      down: new TrafficShaper(target, client, this.#shapes.down, this.#clock),
    };
    const pair: Pair = { client, target, shapers };
    this.#pairs.add(pair);
    for (const [socket, other] of [
      [client, target],
      [target, client],
    ] as const) {
      socket.setNoDelay(true);
      // A broken connection is passed on as one; that it broke is what the tests are about.
      socket.on('error', ignore);
      socket.on('close', (hadError: boolean) => {
        this.#forget(pair);
        if (hadError) other.resetAndDestroy();
        else other.destroy();
      });
    }
  }

  #forget(pair: Pair): void {
    if (!this.#pairs.delete(pair)) return;
    for (const way of ['up', 'down'] as const) {
      pair.shapers[way].stop();
      this.#closedBytes[way] += pair.shapers[way].passed;
      this.#closedFlips += pair.shapers[way].flippedBits;
    }
  }
}

function ignore(): void {
  // See where it is used.
}
