/**
 * A process full of simulated agents: `fork(host, [first, count, buckets])`. Says `{ports}` when all listen, `{beganMs}`
 * (CLOCK_MONOTONIC) when the first of them begins its load, and ends with its parent.
 */
import { readHostFacts } from '../../../src/agent/shell/host-facts.js';
import { systemClock } from '../../../src/shared/kernel/system-clock.js';
import { startSimulatedAgent } from './agent.js';
import { SimulatedLoad } from './load.js';

export type HostMessage = { readonly ports: readonly number[] } | { readonly beganMs: number };

const [first = 0, count = 0, buckets = 0] = process.argv.slice(2).map(Number);
const clock = systemClock;
const host = readHostFacts([]);
const load = new SimulatedLoad(buckets, 1);
let hasBegun = false;

function tell(message: HostMessage): void {
  process.send?.(message);
}

process.on('disconnect', () => process.exit(0));

const ports: number[] = [];
for (let index = first; index < first + count; index++) {
  const id = `agent-${String(index + 1)}`;
  const port = await startSimulatedAgent({
    ...{ id, load, clock },
    bootId: `simulated-${id}`,
    host: { ...host, hostname: id, machineId: id },
    log: (level, line) => {
      if (level === 'warn' || level === 'error') process.stderr.write(`${id}: ${line}\n`);
    },
    began: () => {
      if (!hasBegun) tell({ beganMs: clock.nowMs() });
      hasBegun = true;
    },
  });
  ports.push(port);
}
tell({ ports });
