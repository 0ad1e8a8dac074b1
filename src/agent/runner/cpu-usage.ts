import fs from 'node:fs';
import { ThreadUsage } from './thread-usage.js';
import type { ClockBase } from './clock-base.js';

/** CPU used since the last look: by this process (seconds per second, above 1 with several threads), by the host (0 … 1). */
export class CpuUsage {
  readonly #clock: ClockBase;
  #process = process.cpuUsage();
  #host = hostTicks();
  readonly #threads = new ThreadUsage();
  #atNs: number;

  constructor(clock: ClockBase) {
    this.#clock = clock;
    this.#atNs = clock.now();
  }

  look(): {
    readonly runnerCpu: number;
    readonly hostCpu: number;
    readonly busiestThreadCpu: number;
  } {
    const nowNs = this.#clock.now();
    const used = process.cpuUsage(this.#process);
    const host = hostTicks();
    const seconds = Math.max(1e-9, (nowNs - this.#atNs) / 1e9);
    const ticks = host.total - this.#host.total;
    const usage = {
      runnerCpu: (used.user + used.system) / 1e6 / seconds,
      busiestThreadCpu: this.#threads.busiest(seconds),
      hostCpu: ticks > 0 ? (host.busy - this.#host.busy) / ticks : 0,
    };
    this.#process = process.cpuUsage();
    this.#host = host;
    this.#atNs = nowNs;
    return usage;
  }
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal; idle and iowait are not busy. */
function hostTicks(): { readonly busy: number; readonly total: number } {
  const line = fs.readFileSync('/proc/stat', 'latin1').split('\n', 1)[0] ?? '';
  const ticks = line.trim().split(/\s+/u).slice(1, 9).map(Number);
  const total = ticks.reduce((sum, value) => sum + value, 0);
  return { busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0), total };
}
