/**
 * Preloaded into an agent of a rehearsal (NODE_OPTIONS=--import=…), its workload process and their threads: every clock
 * of the process is off by MUSTER_CLOCK_SHIFT_MS (the wall clock a thousand times as much), as on a host that was booted
 * and set at another time. Not only what the agent says is changed, but what it reads. The programs never load it.
 */
const shiftMs = Number(process.env['MUSTER_CLOCK_SHIFT_MS'] ?? '0');
const shiftNs = BigInt(Math.round(shiftMs * 1e6));

const bigint = process.hrtime.bigint.bind(process.hrtime);
const shifted = (): bigint => bigint() + shiftNs;
const hrtime = (since?: [number, number]): [number, number] => {
  const now = shifted();
  const before = since ? BigInt(since[0]) * 1_000_000_000n + BigInt(since[1]) : 0n;
  return [Number((now - before) / 1_000_000_000n), Number((now - before) % 1_000_000_000n)];
};
process.hrtime = Object.assign(hrtime, { bigint: shifted });

const unixMs = Date.now.bind(Date);
Date.now = () => unixMs() + shiftMs * 1000;
