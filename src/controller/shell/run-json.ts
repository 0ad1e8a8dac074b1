import type { Cancel, Clock } from '../../shared/kernel/clock.js';
import type { Manifest } from '../core/manifest.js';
import { replaceFile } from './replace-file.js';

const replaceEveryMs = 1000;
/** … and after one that took long, for a large fleet or on a slow disk, ten times as long later. */
const mostOftenPart = 10;

/** Keeps run.json up to date: replaced whole, at most once a second. The first failure is told and ends it. */
export class RunJson {
  failure: unknown;
  readonly #path: string;
  readonly #manifest: Manifest;
  readonly #clock: Clock;
  readonly #onFailure: (thrown: unknown) => void;
  #cancel: Cancel | undefined;
  #writing: Promise<void> | undefined;
  #tookMs = 0;

  constructor(
    path: string,
    manifest: Manifest,
    clock: Clock,
    onFailure: (thrown: unknown) => void,
  ) {
    this.#path = path;
    this.#manifest = manifest;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** The manifest has changed. */
  changed(): void {
    if (this.failure !== undefined) return;
    const waitMs = Math.max(replaceEveryMs, mostOftenPart * this.#tookMs);
    this.#cancel ??= this.#clock.after(waitMs, () => void this.write());
  }

  /** Resolves when the file is as the manifest is now, or has failed; never rejects. */
  async write(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    while (this.#writing) await this.#writing;
    if (this.failure !== undefined) return;
    this.#writing = this.#replace();
    await this.#writing;
  }

  async #replace(): Promise<void> {
    const beganMs = this.#clock.nowMs();
    try {
      await replaceFile(this.#path, this.#manifest.chunks());
    } catch (thrown) {
      this.failure = thrown;
      this.#onFailure(thrown);
    }
    this.#tookMs = this.#clock.nowMs() - beganMs;
    this.#writing = undefined;
  }
}
