import fs from 'node:fs';

const fdFolder = '/proc/self/fd';
const wrapsAt = 2 ** 32;
const defaultPoolThreads = '4';
/** Of the share of operations on the ring: what is nearer to all or nothing than this is called so. */
const hardly = 0.01;

/**
 * Finds out what carries out libuv's asynchronous file operations in this process, by the kernel's count of what came
 * through its rings: Node decides by version, environment and kernel, and libuv falls back when a ring is full.
 * Only rings with a polling thread count; that is how libuv 1.45 … 1.48 does files. Linux ≥ 5.10.
 */
export class LibuvWatch {
  /** Submissions seen by ring (number of its descriptor), modulo 2^32. */
  readonly #last: Map<string, number>;
  #submitted = 0;

  /** To be made when all worker threads run and none has begun. */
  constructor() {
    this.#last = new Map(
      descriptorsOfRings().flatMap((descriptor) => {
        const count = submissions(descriptor);
        return count === undefined ? [] : [[descriptor, count]];
      }),
    );
  }

  /** Rings with a polling thread in this process: one for each of its event loops, or none. */
  get rings(): number {
    return this.#last.size;
  }

  /** Looks; at least once in 2^32 operations of a worker. */
  look(): void {
    for (const [descriptor, before] of this.#last) {
      const now = submissions(descriptor) ?? before;
      this.#submitted += (now - before + wrapsAt) % wrapsAt;
      this.#last.set(descriptor, now);
    }
  }

  /** @param operations begun since this watch was made */
  mechanism(operations: number): string {
    this.look();
    const share = operations === 0 ? 0 : Math.min(1, this.#submitted / operations);
    const pool = `thread pool (${process.env['UV_THREADPOOL_SIZE'] ?? defaultPoolThreads})`;
    if (share <= hardly) return pool;
    if (share >= 1 - hardly) return 'io_uring';
    return `io_uring for ${(share * 100).toFixed(0)} % of the operations, ${pool} for the others`;
  }
}

function descriptorsOfRings(): readonly string[] {
  return fs.readdirSync(fdFolder).filter((descriptor) => {
    try {
      return fs.readlinkSync(`${fdFolder}/${descriptor}`).includes('[io_uring]');
    } catch {
      // The descriptor of the folder that was just listed.
      return false;
    }
  });
}

/** The ring's SqTail; undefined when it has no polling thread. */
function submissions(descriptor: string): number | undefined {
  const info = fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s*(-?\\d+)`, 'mu').exec(info)?.[1]);
  return field('SqThread') > 0 ? field('SqTail') : undefined;
}
