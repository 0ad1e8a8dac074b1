import { createHash, randomBytes } from 'node:crypto';
import type { HttpAddress } from '../../shared/wire/listen-http.js';
import type { LogLevel } from '../../shared/kernel/log.js';
import type { Assignment } from '../../shared/model/assignment.js';
import { exitCodes, type ExitCode } from '../../shared/model/outcome.js';
import type { Plan } from '../../shared/model/plan.js';
import { version } from '../../shared/model/version.js';
import type { Access } from '../../shared/wire/access.js';
import type { CommandIo } from '../commands/command-io.js';
import { datasetsLeft } from '../core/datasets-left.js';
import { recordLine } from '../core/record-line.js';
import type { RunRecord } from '../core/records.js';
import type { RunEnd, RunMode } from '../core/run-io.js';
import { Run } from '../core/run.js';
import { stillKept, stillOwed } from '../core/still-owed.js';
import { createView, type ViewMode, type ViewOptions } from '../view/create-view.js';
import { printResults } from '../view/print-results.js';
import { GrpcLinks, openLinksWarning } from './agent-links.js';
import { CheckpointIntake } from './checkpoint-intake.js';
import { withEmbeddedAgents, type ReachableFleet } from './embedded-agents.js';
import { controllerIdentity } from './identity.js';
import { Interrupts } from './interrupts.js';
import { LinkCounts } from './link-counts.js';
import { LiveIntake } from './live-intake.js';
import { openLivePage } from './live-page.js';
import type { LivePage } from './live-page.js';
import { RunDriver } from './run-driver.js';
import { leaveFolder } from './replace-file.js';
import { RunResults } from './run-results.js';
import { watched } from './watched-run.js';

export interface RunRequest {
  readonly io: CommandIo;
  readonly access: Access;
  readonly plan: Plan;
  /** Of bench-agent, for those that are started here. */
  readonly embeddedFlags: readonly string[];
  readonly configText: string;
  readonly mode: Exclude<RunMode, 'check'>;
  readonly resultsParent: string;
  readonly viewMode: ViewMode;
  readonly viewOptions: ViewOptions;
  readonly allowPartial: boolean;
  readonly steal: boolean;
  readonly cleanup: boolean;
  /** Where the run is shown to browsers while it goes on. */
  readonly ui?: HttpAddress | undefined;
  readonly split: (plan: Plan, runId: string, creator: string) => readonly Assignment[];
}

const leaveMs = 200;
const pageRefreshSeconds = 2;

/**
 * One run from its plan to its exit code. Throws MusterError for what stops it before the results folder exists
 * (exit 3, 6); after that every outcome is in the results.
 */
export async function executeRun(request: RunRequest): Promise<ExitCode> {
  const { io } = request;
  const interrupts = new Interrupts(io);
  const work = withEmbeddedAgents(request, io.clock, interrupts.signal, async (fleet) => {
    const page = request.ui && (await openLivePage(request.ui, io.clock));
    try {
      return await runWith(request, fleet, page, interrupts);
    } finally {
      page?.close();
    }
  });
  const left = interrupts.atOnce.then(async () => {
    // A disk that hangs must not keep the process.
    const patience = new Promise<void>((resolve) => io.clock.after(leaveMs, resolve));
    await Promise.race([interrupts.onLeave(), patience]);
    return exitCodes.interrupted;
  });
  try {
    return await Promise.race([work, left]);
  } finally {
    interrupts.off();
  }
}

async function runWith(
  request: RunRequest,
  { plan, access }: ReachableFleet,
  page: LivePage | undefined,
  interrupts: Interrupts,
): Promise<ExitCode> {
  const { io } = request;
  const runId = randomBytes(8).toString('hex');
  const identity = controllerIdentity();
  const view = createView(request.viewMode, request.viewOptions);
  const results = await RunResults.open({
    parent: request.resultsParent,
    name: plan.name,
    configText: request.configText,
    clock: io.clock,
    onFailure: (line) => {
      view.notice('error', line);
    },
    onStall: (line) => {
      notice('warn', line);
    },
  });
  interrupts.onLeave = () => leaveFolder(results.folder);
  const began = io.clock.nowMs();
  const intake = new LiveIntake({
    clock: io.clock,
    count: (entry) => {
      results.record(entry);
    },
    notice: (level, line) => {
      notice(level, line);
    },
    onBug: (thrown) => {
      driver.fail(thrown);
    },
  });
  const secret = randomBytes(16).toString('hex');
  await results.keepSecret(runId, secret);
  const checkpoints = new CheckpointIntake({
    nameOf: (agent) => plan.agents[agent]?.id ?? String(agent),
    record: (entry) => {
      record(entry);
    },
    notice: (level, line) => {
      notice(level, line);
    },
  });
  const record = (entry: RunRecord): void => {
    checkpoints.learn(entry);
    intake.record({ ...entry, atMs: io.clock.nowMs() - began });
    const line = recordLine(entry, plan);
    if (line !== undefined) results.log('info', line);
  };
  const notice = (level: LogLevel, line: string): void => {
    results.log(level, line);
    // debug lines are for controller.log; the journal keeps what a report needs
    if (level !== 'debug') record({ type: 'notice', level, line });
    view.notice(level, line);
  };

  record({
    type: 'run',
    schema: 1,
    runId,
    mode: request.mode,
    startedUnixMs: io.clock.unixMs(),
    version,
    node: process.version,
    commandLine: io.argv,
    configSha256: createHash('sha256').update(request.configText).digest('hex'),
    plan,
  });
  page?.show(() => results.livePage(pageRefreshSeconds));
  if (page) notice('info', `The run is shown at ${page.url}`);
  const warning = openLinksWarning({ plan, access });
  if (warning !== undefined) notice('warn', warning);
  const run = new Run({
    runId,
    plan,
    mode: request.mode,
    assignments: request.split(plan, runId, identity),
    cleanup: request.cleanup,
    random: Math.random,
  });
  const hints = new Set<string>();
  const driver = new RunDriver(
    run,
    io.clock,
    { record, notice, checked: () => undefined },
    (feed, onBug) =>
      new GrpcLinks({
        plan,
        runId,
        identity,
        secret,
        steal: request.steal,
        access,
        clock: io.clock,
        feed,
        notice,
        hint: (text) => {
          hints.add(text);
        },
        onBug,
        whenSafe: (safe) => {
          intake.whenCounted(() => {
            results.whenSafe(safe);
          });
        },
        mustKeep: () => results.isBehind,
        kept: (agent, message) => {
          checkpoints.accept(agent, message);
        },
        fetched: (agent, outcome) => {
          checkpoints.ended(agent, outcome);
        },
      }),
  );
  const links = new LinkCounts({
    clock: io.clock,
    agents: plan.agents.length,
    metrics: (agent) => driver.linkMetrics(agent),
    record,
  });
  const end = await watched(io, interrupts, { run, driver, results, view, began }).finally(() => {
    links.stop();
  });
  // What may be done about it follows what is wrong.
  for (const hint of hints) notice('info', hint);
  const owing = run.sessions
    .filter(({ isOwing, index }) => isOwing && !checkpoints.has(index))
    .filter(({ index }) => !plan.agents[index]?.isEmbedded)
    .map(({ id }) => id);
  const owed = stillOwed(owing, results.folder);
  if (owed !== undefined) notice('warn', owed);
  await intake.counted();
  links.recordAll();
  record(end === 'impatient' ? atOnceEnd : endRecord(end, request.allowPartial));
  view.close();
  if (end === 'impatient') {
    await results.flush();
    const left = datasetsLeft(run.sessions, run.options);
    if (left !== undefined) io.stderr.write(`WARNING: ${left}\n`);
    const canRecover = plan.agents.some(({ isEmbedded }) => !isEmbedded);
    const recover = canRecover ? '; what agents still have: bench-controller recover' : '';
    io.stderr.write(
      `Ended at once; the journal is in ${results.folder} (files from it: bench-controller report${recover})\n`,
    );
    return exitCodes.interrupted;
  }
  const finished = await results.finish();
  printResults(finished, request.viewMode, request.viewOptions);
  const isKept = run.sessions.some(({ keepsSpool }) => keepsSpool === true);
  if (results.isBehind && isKept) io.stderr.write(`${stillKept(results.folder)}\n`);
  // A disk that did not take the results may not answer to this, either.
  if (owing.length === 0 && finished.failure === undefined) await results.forgetSecret();
  return finished.exitCode;
}

const atOnceEnd: RunRecord = {
  type: 'end',
  outcome: 'interrupted',
  reason: 'ended at once by a second Ctrl-C',
  notRepresentative: false,
  exitCode: exitCodes.interrupted,
};

function endRecord(end: RunEnd, allowPartial: boolean): RunRecord {
  const { outcome, reason, notRepresentative } = end;
  const exitCode = allowPartial && end.exitCode === exitCodes.partial ? 0 : end.exitCode;
  return { type: 'end', outcome, reason, notRepresentative, exitCode };
}
