import type { LinkProxy } from '../../../src/controller/shell/rehearsal/link-proxy.js';
import type { Cancel, Clock } from '../../../src/shared/kernel/clock.js';
import type { SeededRandom } from '../sim/random.js';

/** Everything undone, but for the latency that is always there. */
type Undo = () => void;

interface Disturbance {
  readonly name: string;
  readonly forMs: readonly [number, number];
  readonly begin: (link: LinkProxy, random: SeededRandom) => Undo;
}

const nothingToUndo: Undo = () => undefined;

/**
 * What a bad network does to a TCP connection. Lost and reordered packets are hidden from the programs by TCP: what is
 * left of them is that bytes come late (stall), or that the connection is gone.
 */
const disturbances: readonly Disturbance[] = [
  {
    name: 'connection reset',
    forMs: [0, 0],
    begin: (link) => {
      link.reset();
      return nothingToUndo;
    },
  },
  {
    name: 'connection closed',
    forMs: [0, 0],
    begin: (link) => {
      link.drop();
      return nothingToUndo;
    },
  },
  {
    name: 'network gone for 1 to 8 s',
    forMs: [1000, 8000],
    begin: (link) => {
      link.refuse(true);
      link.reset();
      return () => {
        link.refuse(false);
      };
    },
  },
  {
    name: 'stall of 1 to 6 s (packets lost and sent again)',
    forMs: [1000, 6000],
    begin: (link) => {
      link.shapeBoth({ stalled: true });
      return () => {
        link.shapeBoth({ stalled: false });
      };
    },
  },
  {
    name: 'bandwidth of 2 to 32 KiB/s for 4 to 10 s',
    forMs: [4000, 10_000],
    begin: (link, random) => {
      link.shapeBoth({ bytesPerSecond: random.whole(2, 32) * 1024 });
      return () => {
        link.shapeBoth({ bytesPerSecond: Infinity });
      };
    },
  },
  {
    name: 'bytes vanish one way for 1 to 3 s (the connection is broken for good)',
    forMs: [1000, 3000],
    begin: (link, random) => {
      const way = random.chance(0.5) ? 'up' : 'down';
      link.blackhole(way);
      return () => {
        link.shape(way, { blackhole: false });
      };
    },
  },
];

const latencyEveryMs = 1000;
/** One way; a round trip is the sum of both. */
const latencyMs = [25, 150] as const;

/** Keeps links bad for as long as it is not stopped: jitter all the time, a disturbance of one link every few seconds. */
export class HostileLinks {
  /** How often each disturbance was made. */
  readonly made = new Map<string, number>(disturbances.map(({ name }) => [name, 0]));
  readonly #links: readonly LinkProxy[];
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #everyMs: readonly [number, number];
  readonly #disturbed = new Map<LinkProxy, Undo>();
  readonly #timers = new Set<Cancel>();

  /** @param everyMs from one disturbance to the next, at least and at most */
  constructor(
    links: readonly LinkProxy[],
    random: SeededRandom,
    clock: Clock,
    everyMs: readonly [number, number],
  ) {
    this.#links = links;
    this.#random = random;
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  start(): void {
    this.#jitter();
    this.#after(this.#random.whole(...this.#everyMs), () => {
      this.#disturb();
    });
  }

  stop(): void {
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    for (const undo of this.#disturbed.values()) undo();
    for (const link of this.#links) link.heal();
  }

  #jitter(): void {
    for (const link of this.#links) {
      for (const way of ['up', 'down'] as const) {
        link.shape(way, { delayMs: this.#random.whole(...latencyMs) });
      }
    }
    this.#after(latencyEveryMs, () => {
      this.#jitter();
    });
  }

  #disturb(): void {
    const random = this.#random;
    const sound = this.#links.filter((one) => !this.#disturbed.has(one));
    if (sound.length > 0) {
      const link = random.pick(sound);
      const { name, begin, forMs } = random.pick(disturbances);
      this.made.set(name, (this.made.get(name) ?? 0) + 1);
      const undo = begin(link, random);
      this.#disturbed.set(link, undo);
      this.#after(random.whole(...forMs), () => {
        this.#disturbed.delete(link);
        undo();
      });
    }
    this.#after(random.whole(...this.#everyMs), () => {
      this.#disturb();
    });
  }

  #after(ms: number, act: () => void): void {
    const cancel = this.#clock.after(ms, () => {
      this.#timers.delete(cancel);
      act();
    });
    this.#timers.add(cancel);
  }
}
