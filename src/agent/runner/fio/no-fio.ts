import type { FioEnd, FioRun } from './fio-process.js';

/** In the place of a fio where a stage's limit leaves nothing for the agent to do: a fio without jobs is an error to fio. */
export class NoFio implements FioRun {
  readonly ended: Promise<FioEnd>;
  #end: (end: FioEnd) => void = () => undefined;

  constructor() {
    this.ended = new Promise((resolve) => (this.#end = resolve));
  }

  ready(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  letGo(): void {
    this.#end({ code: 0, signal: null });
  }

  askStatus(): void {
    // There is nothing to tell.
  }

  stop(): void {
    this.letGo();
  }

  kill(): void {
    this.letGo();
  }
}
