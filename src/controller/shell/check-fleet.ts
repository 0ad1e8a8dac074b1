import { randomBytes } from 'node:crypto';
import pLimit from 'p-limit';
import { z } from 'zod';
import type { Log } from '../../shared/kernel/log.js';
import type { AgentPlan, Plan } from '../../shared/model/plan.js';
import { splitPlan } from '../../shared/model/split-plan.js';
import type { CommandIo } from '../commands/command-io.js';
import type { AgentFacts, ClockEstimate } from '../core/records.js';
import { Run } from '../core/run.js';
import { GrpcLinks, openLinksWarning } from './agent-links.js';
import { datasetHash } from './dataset-hash.js';
import { controllerIdentity } from './identity.js';
import { withEmbeddedAgents, type PlannedFleet, type ReachableFleet } from './embedded-agents.js';
import { RunDriver } from './run-driver.js';

/** The agent's preflight report as far as it is shown; the rest is passed over. */
const reportSchema = z.object({
  problems: z.array(z.string()),
  freeBytes: z.number().nullable(),
  mount: z.object({ type: z.string(), point: z.string() }).nullable(),
  given: z.array(z.object({ path: z.string(), sizeBytes: z.number() })).nullable(),
});

export interface CheckOutcome {
  readonly agent: AgentPlan;
  /** One sentence each; none: fit to run. */
  readonly problems: readonly string[];
  readonly facts: AgentFacts | undefined;
  readonly clock: ClockEstimate | undefined;
  readonly report: z.infer<typeof reportSchema> | undefined;
}

const atOnce = 64;

/** A preflight of every agent by itself: one that is not fit hides nothing of the others. */
export async function checkFleet(
  planned: PlannedFleet,
  io: CommandIo,
  log: Log,
): Promise<CheckOutcome[]> {
  return withEmbeddedAgents(planned, io.clock, async (fleet) => {
    const warning = openLinksWarning(fleet);
    if (warning !== undefined) io.stderr.write(`WARNING: ${warning}\n`);
    const limit = pLimit(atOnce);
    return Promise.all(
      fleet.plan.agents.map((agent) => limit(() => checkOne(fleet, agent, io, log))),
    );
  });
}

async function checkOne(
  { plan: fleet, access }: ReachableFleet,
  agent: AgentPlan,
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
    assignments: assignments.slice(agent.index, agent.index + 1),
    cleanup: false,
    random: Math.random,
  });
  let facts: AgentFacts | undefined;
  let estimate: ClockEstimate | undefined;
  let report: CheckOutcome['report'];
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
        onBug,
      }),
  );
  const offSignal = io.onSignal((signal) => {
    driver.feed({ kind: 'interrupt', signal });
  });
  const end = await driver.drive();
  offSignal();
  const problems = [...(report?.problems ?? []), ...(end.reason === undefined ? [] : [end.reason])];
  return { agent, problems, facts, clock: estimate, report };
}
