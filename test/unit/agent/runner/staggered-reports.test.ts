import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StaggeredReports, reportDelayMs } from '../../../../src/agent/runner/staggered-reports.js';
import { intervalOf } from '../../../support/agent-driver.js';
import { ManualClock } from '../../../support/manual-clock.js';

describe('reports of intervals', () => {
  it('[PERF-07] come at once from small fleets, and from a thousand agents within half a second, forty at once', () => {
    assert.equal(reportDelayMs({ agentIndex: 7, agentCount: 8 }), 0);
    const delays = Array.from({ length: 1000 }, (_, agentIndex) =>
      reportDelayMs({ agentIndex, agentCount: 1000 }),
    );
    assert.equal(delays[0], 0);
    assert.equal(delays[39], 0);
    assert.equal(delays[40], 20);
    assert.equal(delays[999], 480);
    assert.equal(new Set(delays).size, 25);
    assert.equal(reportDelayMs({ agentIndex: 50, agentCount: 100 }), 20);
  });

  function staggered(delayMs: number) {
    const clock = new ManualClock();
    const told: number[] = [];
    const reports = new StaggeredReports(clock, delayMs, ({ first }) => told.push(first));
    return { clock, told, reports };
  }

  it('are passed on once each and in their order, after the delay', () => {
    const { clock, told, reports } = staggered(300);
    reports.put(intervalOf({ first: 0, last: 0 }));
    clock.advance(299);
    assert.deepEqual(told, []);
    clock.advance(1);
    assert.deepEqual(told, [0]);
    reports.put(intervalOf({ first: 1, last: 1 }));
    reports.put(intervalOf({ first: 2, last: 2 }));
    assert.deepEqual(told, [0, 1]);
    clock.advance(1000);
    assert.deepEqual(told, [0, 1, 2]);
    assert.equal(clock.armed, 0);
  });

  it('that wait are passed on before what comes after them', () => {
    const { clock, told, reports } = staggered(300);
    reports.put(intervalOf({ first: 0, last: 0 }));
    reports.flush();
    reports.flush();
    assert.deepEqual(told, [0]);
    clock.advance(1000);
    assert.deepEqual(told, [0]);
    assert.equal(clock.armed, 0);
  });

  it('need no timer without a delay', () => {
    const { clock, told, reports } = staggered(0);
    reports.put(intervalOf({ first: 4, last: 4 }));
    assert.deepEqual([told, clock.armed], [[4], 0]);
  });
});
