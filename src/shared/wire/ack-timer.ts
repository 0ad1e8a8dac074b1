/** Without anything else to say, an acknowledgement goes out after this long … */
const delayMs = 50;
/** … or after this many frames or bytes (a chunk's worth, so that a bulk sender is not held up). */
const mostFrames = 32;
const mostBytes = 16 * 1024;

/** When to acknowledge with a frame of its own. */
export class AckTimer {
  #frames = 0;
  #bytes = 0;
  #dueMs: number | undefined;

  received(bytes: number, nowMs: number): void {
    this.#frames += 1;
    this.#bytes += bytes;
    this.#dueMs ??= nowMs + delayMs;
    if (this.#frames >= mostFrames || this.#bytes >= mostBytes) this.#dueMs = nowMs;
  }

  /** Any frame acknowledges. */
  wrote(): void {
    this.#frames = 0;
    this.#bytes = 0;
    this.#dueMs = undefined;
  }

  dueMs(): number | undefined {
    return this.#dueMs;
  }
}
