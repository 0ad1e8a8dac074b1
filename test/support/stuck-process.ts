/** A process under a watchdog whose lease is long, and whose main thread never comes back. It prints its id before. */
import { writeSync } from 'node:fs';
import { ClockBase } from '../../src/agent/runner/clock-base.js';
import { Watchdog } from '../../src/agent/runner/watchdog.js';

const hourNs = 3600e9;
const base = new ClockBase();
new Watchdog(base, base.now() + hourNs);
writeSync(1, String(process.pid));
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
