import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  busyWarning,
  pollingWarnings,
  rateWarnings,
} from '../../../../src/controller/core/generator-limits.js';
import type { SelfTest } from '../../../../src/shared/model/self-test.js';

const idle: SelfTest = {
  stages: [{ name: 's', wanted: null }],
  threads: 8,
  iodepth: 1,
  operationsPerSecond: 30e6,
  cpuNsPerOperation: 60,
  cpus: 7.9,
  othersCpus: 0.1,
  hostCpus: 8,
  pollingThreads: 0,
};

test('[MEAS-06] a rate above half of what the generator can do is warned of, with both numbers and what to do', () => {
  const stages = [
    { name: 'fast', wanted: 15.1e6 },
    { name: 'slow', wanted: 15e6 },
    { name: 'closed', wanted: null },
  ];
  assert.deepEqual(rateWarnings([{ ...idle, stages }]), [
    'stage fast: its rate asks 15 100 000 ops/s of this agent, more than half of what its generator can do without any storage (30 000 000 ops/s): use more agents, or more threads where CPUs are free',
  ]);
});

test('[MEAS-06] a host whose CPUs others use is named, with the agents that share it', () => {
  assert.equal(busyWarning([idle], ['b']), undefined);
  const busy = { ...idle, cpus: 3.2, othersCpus: 4.8 };
  assert.equal(
    busyWarning([idle, busy], []),
    'this host has no CPU to spare: in the self-test the workload process with 8 threads got 3.2 of 8 CPUs, others used 4.8 of 8: what is measured now is too slow',
  );
  assert.match(
    busyWarning([busy], ['b', 'c']) ?? '',
    /others \(also agents on the same host: b, c\) used/,
  );
});

test('[MEAS-06] fewer threads than CPUs have enough in theirs; more threads need no more than there are', () => {
  const few = { ...idle, threads: 2, cpus: 2, othersCpus: 5 };
  assert.equal(busyWarning([few], []), undefined);
  assert.match(busyWarning([{ ...few, cpus: 1.5 }], []) ?? '', /2 threads got 1\.5 of 2 CPUs/);
  assert.equal(busyWarning([{ ...idle, threads: 64 }], []), undefined);
});

test('[MEAS-06] polling threads beside those of an iodepth are warned of where they are more than the CPUs', () => {
  const deep = { ...idle, threads: 4, iodepth: 16, pollingThreads: 4 };
  assert.deepEqual(pollingWarnings([idle, deep], []), [], 'eight CPUs for eight threads');
  assert.deepEqual(pollingWarnings([{ ...deep, threads: 5, pollingThreads: 5 }], []), [
    'stage s: 5 threads with iodepth and 5 polling threads of the kernel (io_uring) can use 10 CPUs, and there are 8: more threads without iodepth may do more',
  ]);
  assert.deepEqual(pollingWarnings([{ ...deep, threads: 64, pollingThreads: 0 }], []), []);
  const other = { ...deep, stages: [{ name: 't', wanted: null }] };
  assert.deepEqual(pollingWarnings([deep], [[other]]), [], 'stages do not run at the same time');
  assert.deepEqual(pollingWarnings([deep], [[other, { ...deep, threads: 1, pollingThreads: 1 }]]), [
    'stage s: 5 threads with iodepth and 5 polling threads of the kernel (io_uring) of 2 agents on this host can use 10 CPUs, and there are 8: more threads without iodepth may do more',
  ]);
});
