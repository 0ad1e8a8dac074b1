import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import {
  completed,
  exits,
  freeWithin,
  neverSays,
  reconnected,
  sumsAgree,
  wholeTimeLines,
} from '../../src/controller/core/rehearsal/checks.js';
import type { Check } from '../../src/controller/core/rehearsal/verdict.js';
import type { Scenario } from '../../src/controller/shell/rehearsal/scenario.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { HostileLinks } from '../support/rehearsal/hostile-links.js';
import { hostileReport, writeReport } from '../support/rehearsal/long-report.js';
import { play, slowDisk } from '../support/rehearsal/play.js';
import { SpoolWatch } from '../support/rehearsal/spool-watch.js';
import { SeededRandom } from '../support/sim/random.js';

const minutes = Number(process.env['MUSTER_LONG_MINUTES'] ?? '30');
const seed = Number(process.env['MUSTER_LONG_SEED'] ?? '1');
const ids = ['agent-1', 'agent-2', 'agent-3'];

/** Operations per second of all agents in the open loop: what their disk, with its slow syncs, can do easily. */
const rate = 60;
const stageSeconds = minutes * 30;
const common = { mix: { read: 50, write: 50 }, block_size: '4KiB', fsync: 'every' };

/** The schedule goes on whatever the links do: as many operations as a Poisson process of that rate has arrivals. */
const keepsSchedule: Check = {
  expected: 'the open loop does what its schedule says (within five standard deviations)',
  wrong: ({ summary }) => {
    const stage = summary?.stages.find(({ name }) => name === 'open');
    const operations = Object.values(stage?.operations ?? {});
    const count = operations.reduce((sum, one) => sum + one.count, 0);
    const due = rate * stageSeconds;
    if (Math.abs(count - due) <= 5 * Math.sqrt(due)) return undefined;
    return `${count} operations were done, ${due} were due`;
  },
};

test(`[RUN-22] ${minutes} minutes over links with latency, stalls and cuts: zero false failures, exact sums`, async (t) => {
  const disturbed: HostileLinks[] = [];
  const spools = new SpoolWatch();
  const scenario: Scenario = {
    name: 'hostile-links',
    fault: 'latency, jitter, cuts, stalls and dips of bandwidth on every link, all the time',
    config: {
      // The deadlines of the protocol, not the short ones of the other rehearsals.
      timeouts: {},
      stages: [
        { name: 'closed', ...common, access: 'random', duration: `${stageSeconds}s` },
        {
          name: 'open',
          ...common,
          access: 'random',
          rate: `${rate}/s`,
          arrival: 'poisson',
          duration: `${stageSeconds}s`,
        },
      ],
    },
    arrange: ({ all }) => {
      const links = all.map(({ link }) => link);
      const hostile = new HostileLinks(links, new SeededRandom(seed), systemClock, [2000, 10_000]);
      disturbed.push(hostile);
      hostile.start();
    },
    act: async ({ run, agents }) => {
      for (const share of [0.25, 0.5, 0.75]) {
        await run.elapsed(share * Math.min(stageSeconds, 120) * 1000);
        spools.look(agents);
      }
      await run.process.ended;
      spools.lookAtLast(agents);
      for (const hostile of disturbed) hostile.stop();
    },
    checks: [
      exits(0),
      completed(3),
      wholeTimeLines(ids),
      sumsAgree,
      keepsSchedule,
      spools.grew(3),
      spools.emptied,
      ...(minutes >= 5 ? ids.map((id) => reconnected(id, minutes)) : []),
      neverSays(
        /crashed|marking as hung|did not come back|failed|Invalid transition|unreachable/,
        'no false failure',
      ),
      freeWithin(60_000),
    ],
    deadlineMs: (minutes + 5) * 60_000,
  };
  const token = randomBytes(32).toString('hex');
  const outcome = await play(t, scenario, { ...slowDisk(20), BENCH_TOKEN: token });
  assert.ok('passed' in outcome);
  const [{ made } = { made: new Map<string, number>() }] = disturbed;
  writeReport('long-run.md', hostileReport(outcome, { minutes, seed, made }));
  assert.deepEqual(outcome.problems, [], outcome.evidence.said);
});
