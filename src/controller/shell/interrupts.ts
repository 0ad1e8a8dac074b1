import type { CommandIo } from '../commands/command-io.js';

type Signal = 'SIGINT' | 'SIGTERM';

/**
 * The operator's signals from the first moment of a command to its last. The first asks for an orderly end, the second
 * for one at once; none is lost because nobody was ready for it.
 */
export class Interrupts {
  /** Aborted by the first. */
  readonly signal: AbortSignal;
  /** Resolves when waiting is no longer wanted: at the second, or at the third where `onSecond` is at work. */
  readonly atOnce: Promise<void>;
  /** Ends the command as fast as its results allow. */
  onSecond: (() => void) | undefined;
  /** What is still to be done when nobody waits any longer. */
  onLeave: () => Promise<void> = () => Promise.resolve();
  readonly off: () => void;
  #first: Signal | undefined;
  #onFirst: ((signal: Signal) => void) | undefined;

  constructor(io: Pick<CommandIo, 'onSignal'>) {
    const abort = new AbortController();
    this.signal = abort.signal;
    let leave = (): void => undefined;
    this.atOnce = new Promise((resolve) => {
      leave = resolve;
    });
    this.off = io.onSignal((signal) => {
      const { onSecond } = this;
      if (this.#first === undefined) {
        this.#first = signal;
        abort.abort();
        this.#onFirst?.(signal);
      } else if (onSecond) {
        this.onSecond = undefined;
        onSecond();
      } else leave();
    });
  }

  /** Calls `listener` at the first signal; at once when it has come. */
  onFirst(listener: (signal: Signal) => void): void {
    this.#onFirst = listener;
    if (this.#first !== undefined) listener(this.#first);
  }
}
