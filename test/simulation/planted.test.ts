// A check that cannot fail is none: faults are planted in the machines, and the invariants must find each.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OwnerWatch } from '../../src/agent/core/lease.js';
import { AgentSession } from '../../src/controller/core/agent-session.js';
import { Barrier } from '../../src/controller/core/barrier.js';
import { ClockProbes } from '../../src/controller/core/clock-probes.js';
import { Judge } from '../../src/controller/core/judge.js';
import { StageDelivery } from '../../src/controller/core/stage-delivery.js';
import { StageWatch } from '../../src/controller/core/stage-watch.js';
import { History } from '../support/sim/history.js';
import { deadlineMs, restMs, violations } from '../support/sim/invariants.js';
import { randomScenario } from '../support/sim/scenario.js';

/** Replaces one method or getter while `body` runs. */
function planted(on: object, name: string, value: unknown, body: () => void): void {
  const before = Object.getOwnPropertyDescriptor(on, name);
  assert.ok(before, `${name} is there to be replaced`);
  const now = typeof before.get === 'function' ? { get: value as () => unknown } : { value };
  Object.defineProperty(on, name, { ...before, ...now });
  try {
    body();
  } finally {
    Object.defineProperty(on, name, before);
  }
}

/** Plays random histories until an invariant complains in these words. */
function finds(complaint: RegExp, faults: number, histories = 60): void {
  const seen = new Set<string>();
  for (let seed = 1; seed <= histories; seed += 1) {
    const found = complaintsAbout(new History(randomScenario(seed, faults)));
    if (found.some((violation) => complaint.test(violation))) return;
    for (const violation of found) seen.add(violation);
  }
  assert.fail(`not found in ${histories} histories; seen: ${[...seen].slice(0, 5).join('; ')}`);
}

function complaintsAbout(history: History): string[] {
  try {
    history.play(deadlineMs(history) + 5000, restMs(history));
  } catch (thrown) {
    return [String(thrown)];
  }
  return violations(history);
}

test('a Go before all are armed is found', () => {
  const released = new WeakMap<Barrier, number>();
  const release = function (this: Barrier): boolean {
    const noneIsArmed = this.culprits().size === this.members.length;
    if (noneIsArmed || released.get(this) === this.epoch) return false;
    released.set(this, this.epoch);
    return true;
  };
  planted(Barrier.prototype, 'release', release, () => {
    finds(/was not armed/, 0);
  });
});

test('a clock estimate that is off is found', () => {
  const before = Object.getOwnPropertyDescriptor(ClockProbes.prototype, 'current')!
    .get as () => ClockProbes['current'];
  const off = function (this: ClockProbes) {
    const estimate = before.call(this);
    return estimate && { ...estimate, offsetNs: estimate.offsetNs + 400_000_000n };
  };
  planted(ClockProbes.prototype, 'current', off, () => {
    finds(/began .* ms late/, 0);
  });
});

test('a hang that nobody notices is found', () => {
  const nothing = (): undefined => undefined;
  planted(StageWatch.prototype, 'check', nothing, () => {
    planted(StageWatch.prototype, 'wakeAt', nothing, () => {
      finds(/ms late$/, 3, 300);
    });
  });
});

test('a load without a living owner is found', () => {
  planted(
    OwnerWatch.prototype,
    'ownerGone',
    () => false,
    () => {
      planted(
        OwnerWatch.prototype,
        'runnerDeadlineNs',
        (_: number, nowNs: bigint) => nowNs + 10n ** 15n,
        () => {
          finds(/after its owner's end|still owned|round in circles/, 3, 300);
        },
      );
    },
  );
});

test('a run that calls itself complete without all results is found', () => {
  const { end } = Judge.prototype;
  const rosy = function (this: Judge) {
    return { ...end.call(this), outcome: 'completed', exitCode: 0, reason: undefined };
  };
  planted(Judge.prototype, 'end', rosy, () => {
    finds(/exit 0 with \d+ of \d+ results/, 3, 300);
  });
});

test('an agent that is not let go is found', () => {
  planted(
    AgentSession.prototype,
    'close',
    () => undefined,
    () => {
      finds(/is not free after the run/, 0);
    },
  );
});

test('a runner that reports more than it did is found', () => {
  const { addResult } = StageDelivery.prototype;
  planted(
    StageDelivery.prototype,
    'addResult',
    function (this: StageDelivery, ...[result, nowMs]: Parameters<typeof addResult>) {
      const [first] = result.operations;
      if (first) Object.assign(first, { count: first.count + 1 });
      return addResult.call(this, result, nowMs);
    },
    () => {
      finds(/histogram holds|more than was done/, 0);
    },
  );
});
