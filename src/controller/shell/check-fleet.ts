import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import { z } from 'zod';
import type { Log } from '../../shared/kernel/log.js';
import type { Sentinel } from '../../shared/model/assignment.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import { selfTestSchema } from '../../shared/model/self-test.js';
import { splitPlan } from '../../shared/model/split-plan.js';
import type { CommandIo } from '../commands/command-io.js';
import type { AgentFacts, ClockEstimate } from '../core/records.js';
import { Run } from '../core/run.js';
import { sameAgentTwice } from '../core/same-agent.js';
import { GrpcLinks, openLinksWarning } from './agent-links.js';
import { datasetHash } from './dataset-hash.js';
import { controllerIdentity } from './identity.js';
import { withEmbeddedAgents, type PlannedFleet, type ReachableFleet } from './embedded-agents.js';
import { RunDriver } from './run-driver.js';

const mountSchema = z.object({ type: z.string(), point: z.string(), device: z.string() });

/** The agent's preflight report as far as it is shown; the rest is passed over. */
const reportSchema = z.object({
  problems: z.array(z.string()),
  freeBytes: z.number().nullable(),
  mount: mountSchema.nullable(),
  given: z
    .array(z.object({ path: z.string(), sizeBytes: z.number(), mount: mountSchema.nullish() }))
    .nullable(),
  selfTests: z.array(selfTestSchema),
});

export interface CheckOutcome {
  readonly agent: AgentPlan;
  /** One sentence each; none: fit to run. */
  readonly problems: readonly string[];
  /** Of the agent's process, known of one that refused as well. */
  readonly instanceId: string | undefined;
  readonly facts: AgentFacts | undefined;
  readonly clock: ClockEstimate | undefined;
  readonly report: z.infer<typeof reportSchema> | undefined;
  /** It has seen that it shares its target with the first agent, or is that one and has shown it. */
  readonly isShared: boolean;
}

const atOnce = 64;

/**
 * A preflight of every agent by itself: one that is not fit hides nothing of the others. Where they are to share a
 * target, the first one goes before the others, which look for what it has put there.
 */
export async function checkFleet(
  planned: PlannedFleet,
  io: CommandIo,
  log: Log,
): Promise<CheckOutcome[]> {
  const stop = new AbortController();
  const offSignal = io.onSignal(() => {
    stop.abort();
  });
  try {
    return await withEmbeddedAgents(planned, io.clock, stop.signal, (fleet) => {
      const warning = openLinksWarning(fleet);
      if (warning !== undefined) io.stderr.write(`WARNING: ${warning}\n`);
      const limit = pLimit(atOnce);
      const check = (agent: AgentPlan, sentinel?: Sentinel): Promise<CheckOutcome> =>
        limit(() => {
          const mayStart = !stop.signal.aborted || sentinel?.act === 'remove';
          return mayStart ? checkOne(fleet, agent, sentinel, io, log) : notAsked(agent);
        });
      const outcomes = isToBeShared(fleet.plan)
        ? checkShared(fleet.plan.agents, check)
        : Promise.all(fleet.plan.agents.map((agent) => check(agent)));
      return outcomes.then(withTwins);
    });
  } finally {
    offSignal();
  }
}

function notAsked(agent: AgentPlan): CheckOutcome {
  const nothing = { facts: undefined, clock: undefined, report: undefined, isShared: false };
  return { agent, problems: ['not asked: interrupted'], instanceId: undefined, ...nothing };
}

/** An agent that is named twice may refuse the second as busy with the first, which says nothing of why. */
function withTwins(outcomes: readonly CheckOutcome[]): CheckOutcome[] {
  const twins = sameAgentTwice(outcomes, ({ instanceId, agent: { address } }) => ({
    instanceId,
    address,
  }));
  return outcomes.map((outcome) => {
    const twin = twins.find(({ members }) => members.includes(outcome));
    return twin === undefined ? outcome : { ...outcome, problems: [twin.line] };
  });
}

/** The first one makes a file that the others look for, and removes it. */
async function checkShared(
  [first, ...others]: readonly AgentPlan[],
  check: (agent: AgentPlan, sentinel?: Sentinel) => Promise<CheckOutcome>,
): Promise<CheckOutcome[]> {
  if (first === undefined) return [];
  const name = `.muster-shared-${randomBytes(8).toString('hex')}`;
  const maker = await check(first, { name, act: 'make' });
  const found = maker.isShared ? ({ name, act: 'find' } as const) : undefined;
  const finders = await Promise.all(others.map((agent) => check(agent, found)));
  if (maker.facts === undefined) return [maker, ...finders];
  const { problems } = await check(first, { name, act: 'remove' });
  const left = problems.map((problem) => `may have left ${name} in its target: ${problem}`);
  return [{ ...maker, problems: [...maker.problems, ...left] }, ...finders];
}

/** Existing files and devices have no folder in which the agents could show each other anything. */
function isToBeShared({ namespace, dataset, agents }: Plan): boolean {
  return namespace === 'shared' && dataset.given === undefined && agents.length > 1;
}

async function checkOne(
  { plan: fleet, access }: ReachableFleet,
  agent: AgentPlan,
  sentinel: Sentinel | undefined,
  io: CommandIo,
  log: Log,
): Promise<CheckOutcome> {
  const { clock } = io;
  const runId = randomBytes(8).toString('hex');
  const identity = controllerIdentity();
  const assignments = splitPlan(fleet, runId, identity, 'check', {
    datasetHash: datasetHash(fleet),
  });
  const plan: Plan = { ...fleet, agents: [{ ...agent, index: 0 }] };
  const run = new Run({
    runId,
    plan,
    mode: 'check',
    assignments: assignments
      .slice(agent.index, agent.index + 1)
      .map((assignment) => ({ ...assignment, sentinel })),
    cleanup: false,
    random: Math.random,
  });
  let facts: AgentFacts | undefined;
  let estimate: ClockEstimate | undefined;
  let report: CheckOutcome['report'];
  let hint = '';
  const driver = new RunDriver(
    run,
    clock,
    {
      record(record) {
        if (record.type === 'agent') facts = record.facts;
        if (record.type === 'clock') estimate = record.clock;
      },
      notice: log,
      checked(_agent, text) {
        report = reportSchema.parse(JSON.parse(text));
      },
    },
    (feed, onBug) =>
      new GrpcLinks({
        plan,
        runId,
        identity,
        secret: randomBytes(16).toString('hex'),
        steal: false,
        access,
        clock,
        feed,
        notice: log,
        hint: (text) => {
          hint = ` (${text})`;
        },
        onBug,
      }),
  );
  const offSignal = io.onSignal((signal) => {
    driver.feed({ kind: 'interrupt', signal });
  });
  const end = await driver.drive().finally(offSignal);
  const why = end.reason === undefined ? [] : [end.reason + hint];
  const problems = [...(report?.problems ?? []), ...why];
  const isShared =
    sentinel !== undefined && typeof report?.freeBytes === 'number' && problems.length === 0;
  const instanceId = run.sessions[0]?.instanceId;
  return { agent, problems, instanceId, facts, clock: estimate, report, isShared };
}
