/** Without anything else to say, an acknowledgement goes out after this long … */
const delayMs = 50;
/**
 * … or after this long when all that came is patient: a little more than a second, so that of what comes every second two
 * are acknowledged at once, the second one soon. Its sender learns of the time that the second one took.
 */
const patientMs = 1100;
/** No more than this is patient: it counts against the sender's credit until it is acknowledged. */
const patientBytes = 4 * 1024;
/** … or after this many frames or bytes (a chunk's worth, so that a bulk sender is not held up). */
const mostFrames = 32;
const mostBytes = 16 * 1024;

/** When to acknowledge with a frame of its own. */
export class AckTimer {
  #frames = 0;
  #bytes = 0;
  #dueMs: number | undefined;

  /** @param isPatient its sender waits for nothing */
  received(bytes: number, isPatient: boolean, nowMs: number): void {
    this.#frames += 1;
    this.#bytes += bytes;
    const isEarly = !isPatient || this.#bytes > patientBytes;
    this.#dueMs = Math.min(this.#dueMs ?? Infinity, nowMs + (isEarly ? delayMs : patientMs));
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
