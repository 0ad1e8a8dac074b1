import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CpuUse } from '../../../../src/controller/core/cpu-use.js';

const calm = {
  hostCpu: 0.3,
  runnerCpu: 0.5,
  busiestThreadCpu: 0.5,
  lateWakeUps: 0,
  runnerLoopDelayNs: 0,
};

function useOf(openLoop: boolean, seconds: readonly Partial<typeof calm>[]): CpuUse {
  const use = new CpuUse(openLoop, 4);
  for (const [first, second] of seconds.entries()) {
    use.add({ first, last: first, ...calm, ...second });
  }
  return use;
}

const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

test('[MEAS-06] the bottleneck is what was used up in most seconds', () => {
  assert.equal(useOf(false, times(9, {})).bottleneck, undefined);
  const hot = { hostCpu: 0.97 };
  assert.equal(useOf(false, [...times(3, {}), ...times(4, hot)]).bottleneck, 'host CPU');
  assert.equal(useOf(false, [...times(4, {}), ...times(4, hot)]).bottleneck, undefined);
  assert.equal(useOf(false, times(2, hot)).bottleneck, undefined, 'two seconds say nothing');
});

test('[MEAS-06] four threads that use four CPUs are the limit of a closed loop, and nothing of an open one', () => {
  const pegged = { runnerCpu: 3.9, busiestThreadCpu: 1 };
  const use = useOf(false, times(5, pegged));
  assert.equal(use.bottleneck, 'thread CPU');
  assert.equal(use.busiestThread, 1);
  assert.equal(useOf(false, times(5, { runnerCpu: 3.5 })).bottleneck, undefined);
  assert.equal(useOf(true, times(5, pegged)).bottleneck, undefined);
});

test('[MEAS-06] threads that wake up late cannot keep a schedule', () => {
  assert.equal(useOf(true, times(5, { lateWakeUps: 10 })).bottleneck, 'late wake-ups');
  assert.equal(useOf(true, times(5, { lateWakeUps: 9 })).bottleneck, undefined);
  const merged = new CpuUse(true, 1);
  for (const first of [0, 10, 20]) merged.add({ ...calm, first, last: first + 9, lateWakeUps: 50 });
  assert.equal(merged.bottleneck, undefined, '5 a second');
});

test('[MEAS-06] seconds that come in one interval count as often as seconds that come apart', () => {
  const use = new CpuUse(false, 4);
  const busy = { ...calm, hostCpu: 1, runnerCpu: 4, busiestThreadCpu: 1 };
  for (const first of [0, 1, 2]) use.add({ ...busy, first, last: first });
  use.add({ ...calm, first: 3, last: 11 });
  assert.deepEqual(
    [use.host, use.runner, use.busiestThread].map((mean) => Math.round(mean * 1000)),
    [475, 1375, 625],
  );
});

test('[MEAS-06] the bottleneck is what was used up for most of the time, however it was reported', () => {
  const limits = {
    'host CPU': { ...calm, hostCpu: 1 },
    'thread CPU': { ...calm, runnerCpu: 4 },
    'late wake-ups': { ...calm, lateWakeUps: 200 },
  };
  for (const [name, limited] of Object.entries(limits)) {
    const use = new CpuUse(false, 4);
    for (const first of [0, 1, 2]) use.add({ ...limited, first, last: first });
    use.add({ ...calm, first: 3, last: 11 });
    assert.equal(use.bottleneck, undefined, `${name}: three seconds of twelve`);
    use.add({ ...limited, first: 12, last: 24 });
    assert.equal(use.bottleneck, name, 'sixteen of twenty-five');
  }
});
