import assert from 'node:assert/strict';
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
import type { Scenario } from '../../src/controller/shell/rehearsal/scenario.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { HostileLinks } from '../support/rehearsal/hostile-links.js';
import { hostileReport, writeReport } from '../support/rehearsal/long-report.js';
import { play, slowDisk } from '../support/rehearsal/play.js';
import { SeededRandom } from '../support/sim/random.js';

const minutes = Number(process.env['MUSTER_LONG_MINUTES'] ?? '30');
const seed = Number(process.env['MUSTER_LONG_SEED'] ?? '1');
const ids = ['agent-1', 'agent-2', 'agent-3'];

test(`[RUN-22] ${minutes} minutes over links with latency, stalls and cuts: zero false failures, exact sums`, async (t) => {
  const disturbed: HostileLinks[] = [];
  const scenario: Scenario = {
    name: 'hostile-links',
    fault: 'latency, jitter, cuts, stalls and dips of bandwidth on every link, all the time',
    seconds: minutes * 60,
    // The deadlines of the protocol, not the short ones of the other rehearsals.
    config: { timeouts: {} },
    arrange: ({ all }) => {
      const links = all.map(({ link }) => link);
      const hostile = new HostileLinks(links, new SeededRandom(seed), systemClock, [2000, 10_000]);
      disturbed.push(hostile);
      hostile.start();
    },
    act: async ({ run }) => {
      await run.process.ended;
      for (const hostile of disturbed) hostile.stop();
    },
    checks: [
      exits(0),
      completed(3),
      wholeTimeLines(ids),
      sumsAgree,
      ...(minutes >= 5 ? ids.map((id) => reconnected(id, minutes)) : []),
      neverSays(
        /crashed|marking as hung|did not come back|failed|Invalid transition|unreachable/,
        'no false failure',
      ),
      freeWithin(60_000),
    ],
    deadlineMs: (minutes + 5) * 60_000,
  };
  const outcome = await play(t, scenario, slowDisk(20));
  assert.ok('passed' in outcome);
  const [{ made } = { made: new Map<string, number>() }] = disturbed;
  writeReport('long-run.md', hostileReport(outcome, { minutes, seed, made }));
  assert.deepEqual(outcome.problems, [], outcome.evidence.said);
});
