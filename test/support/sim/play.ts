import assert from 'node:assert/strict';
import { History } from './history.js';
import { deadlineMs, restMs, violations } from './invariants.js';
import { randomScenario, type Scenario } from './scenario.js';

/** Past its own deadline a run gets this much more, so that the report says how late it was. */
const marginMs = 60_000;

export function play(scenario: Scenario): History {
  const history = new History(scenario);
  return history.play(deadlineMs(history) + marginMs, restMs(history));
}

/** Plays a scenario and checks every invariant; the message of a failure tells how to see it again. */
export function playChecked(scenario: Scenario): History {
  const history = play(scenario);
  const found = violations(history);
  if (found.length > 0) assert.fail([...found, ...accountOf(history)].join('\n'));
  return history;
}

export interface ManyOptions {
  readonly firstSeed: number;
  readonly count: number;
  readonly faults: number;
}

/** How many histories a test tells: MUSTER_SIM_COUNT in all, MUSTER_SIM_SEED only that one. */
export function chosenSeeds(
  firstSeed: number,
  count: number,
): { firstSeed: number; count: number } {
  const seed = process.env['MUSTER_SIM_SEED'];
  if (seed !== undefined) return { firstSeed: Number(seed), count: 1 };
  const wanted = process.env['MUSTER_SIM_COUNT'];
  return { firstSeed, count: wanted === undefined ? count : Number(wanted) };
}

/** Plays random histories; returns how often each exit code came, `died` for a killed controller. */
export function playMany({ firstSeed, count, faults }: ManyOptions): Map<string, number> {
  const ends = new Map<string, number>();
  for (let seed = firstSeed; seed < firstSeed + count; seed += 1) {
    const history = playSeed(seed, faults);
    const end = String(history.controller.finished?.exitCode ?? 'died');
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  return ends;
}

function playSeed(seed: number, faults: number): History {
  try {
    return playChecked(randomScenario(seed, faults));
  } catch (thrown) {
    const what = thrown instanceof Error ? thrown.message : String(thrown);
    throw new Error(
      `history ${String(seed)} (replay with MUSTER_SIM_SEED=${String(seed)}): ${what}`,
      {
        cause: thrown,
      },
    );
  }
}

function accountOf({ scenario, controller, hosts }: History): string[] {
  return [
    `faults: ${JSON.stringify(scenario.faults)}`,
    `end: ${JSON.stringify(controller.finished)}`,
    ...controller.notices.slice(-12).map((line) => `controller: ${line}`),
    ...hosts.flatMap(({ log }, index) =>
      log.slice(-5).map((line) => `agent ${String(index)}: ${line}`),
    ),
  ];
}
