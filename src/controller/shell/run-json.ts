import type { Cancel, Clock } from '../../shared/kernel/clock.js';
import type { Manifest } from '../core/manifest.js';
import { replaceFile } from './replace-file.js';

const replaceEveryMs = 1000;
/** Counts, which change all the time, wait for this long. */
const countsEveryMs = 10_000;
/** … and after one that took long, for a large fleet or on a slow disk, ten times as long later. */
const mostOftenPart = 10;

/**
 * Keeps run.json up to date: replaced whole, at most once a second, for new counts alone every ten. The first failure is
 * told and ends it.
 */
export class RunJson {
  failure: unknown;
  readonly #path: string;
  readonly #manifest: Manifest;
  readonly #clock: Clock;
  readonly #onFailure: (thrown: unknown) => void;
  #timer: { readonly atMs: number; readonly cancel: Cancel } | undefined;
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

  /** The manifest has changed, `counts`: in nothing but counts and measurements. */
  changed(what: 'counts' | 'news'): void {
    if (this.failure !== undefined) return;
    const everyMs = what === 'counts' ? countsEveryMs : replaceEveryMs;
    const waitMs = Math.max(everyMs, mostOftenPart * this.#tookMs);
    const atMs = this.#clock.nowMs() + waitMs;
    if (this.#timer && this.#timer.atMs <= atMs) return;
    this.#timer?.cancel();
    this.#timer = { atMs, cancel: this.#clock.after(waitMs, () => void this.write()) };
  }

  /** Resolves when the file is as the manifest is now, or has failed; never rejects. */
  async write(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = undefined;
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
