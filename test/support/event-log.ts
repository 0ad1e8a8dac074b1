import { systemClock } from '../../src/shared/kernel/system-clock.js';

/** Everything that happened, and a way to wait for something to happen: so that no test sleeps. */
export class EventLog<Event> {
  readonly all: Event[] = [];
  readonly #waiting = new Set<() => void>();

  add(event: Event): void {
    this.all.push(event);
    for (const check of [...this.#waiting]) check();
  }

  /** The first event that is wanted, past or to come; fails after a generous while with what did happen. */
  async until<Wanted extends Event>(
    wanted: (event: Event) => event is Wanted,
    timeoutMs?: number,
  ): Promise<Wanted>;
  async until(wanted: (event: Event) => boolean, timeoutMs?: number): Promise<Event>;
  async until(wanted: (event: Event) => boolean, timeoutMs = 30_000): Promise<Event> {
    return this.#wait(() => this.all.find((event) => wanted(event)), timeoutMs);
  }

  /** Resolves when so many wanted events have happened. */
  async count(
    wanted: (event: Event) => boolean,
    number: number,
    timeoutMs = 30_000,
  ): Promise<Event[]> {
    return this.#wait(() => {
      const found = this.all.filter((event) => wanted(event));
      return found.length >= number ? found : undefined;
    }, timeoutMs);
  }

  #wait<T>(find: () => T | undefined, timeoutMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const found = find();
        if (found === undefined) return;
        stop();
        this.#waiting.delete(check);
        resolve(found);
      };
      const stop = systemClock.after(timeoutMs, () => {
        this.#waiting.delete(check);
        reject(new Error(`nothing like it in ${timeoutMs} ms; last events: ${this.#tail()}`));
      });
      this.#waiting.add(check);
      check();
    });
  }

  #tail(): string {
    const last = this.all.slice(-5);
    return JSON.stringify(last, (_, value: unknown) =>
      typeof value === 'bigint' ? `${value}n` : value,
    );
  }
}
