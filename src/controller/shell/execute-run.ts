import { createHash, randomBytes } from 'node:crypto';
import { readClock } from '../../shared/kernel/clock.js';
import type { LogLevel } from '../../shared/kernel/log.js';
import type { Assignment } from '../../shared/model/assignment.js';
import { exitCodes, type ExitCode } from '../../shared/model/outcome.js';
import type { Plan } from '../../shared/model/plan.js';
import { version } from '../../shared/model/version.js';
import type { Access } from '../../shared/wire/access.js';
import type { CommandIo } from '../commands/command-io.js';
import type { RunRecord } from '../core/records.js';
import type { RunEnd, RunMode } from '../core/run-io.js';
import { Run } from '../core/run.js';
import { createView, type ViewMode, type ViewOptions } from '../view/create-view.js';
import { printResults } from '../view/print-results.js';
import type { RunView } from '../view/run-view.js';
import { GrpcLinks, openLinksWarning } from './agent-links.js';
import { CheckpointIntake } from './checkpoint-intake.js';
import { withEmbeddedAgents, type ReachableFleet } from './embedded-agents.js';
import { controllerIdentity } from './identity.js';
import { LinkCounts } from './link-counts.js';
import { LiveIntake } from './live-intake.js';
import { openLivePage } from './live-page.js';
import type { LivePage, LivePageAddress } from './live-page.js';
import { RunDriver } from './run-driver.js';
import { RunResults } from './run-results.js';

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
  readonly ui?: LivePageAddress | undefined;
  readonly split: (plan: Plan, runId: string, creator: string) => readonly Assignment[];
}

const viewEveryMs = 500;
const pageRefreshSeconds = 2;

/**
 * One run from its plan to its exit code. Throws MusterError for what stops it before the results folder exists
 * (exit 3, 6); after that every outcome is in the results.
 */
export function executeRun(request: RunRequest): Promise<ExitCode> {
  return withEmbeddedAgents(request, request.io.clock, async (fleet) => {
    const page = request.ui && (await openLivePage(request.ui));
    try {
      return await runWith(request, fleet, page);
    } finally {
      page?.close();
    }
  });
}

async function runWith(
  request: RunRequest,
  { plan, access }: ReachableFleet,
  page: LivePage | undefined,
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
        onBug,
        whenSafe: (safe) => {
          intake.whenCounted(() => {
            results.whenSafe(safe);
          });
        },
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
  const end = await watched(request, { run, driver, intake, results, view, began }).finally(() => {
    links.stop();
  });
  if (end === 'impatient') return exitCodes.interrupted;
  const owing = end.owing.filter((agent) => !checkpoints.has(agent));
  if (owing.length > 0) {
    const names = owing.map((agent) => plan.agents[agent]?.id).join(', ');
    const line = `What ${names} reported last may still be on its host, for an hour: bench-controller recover ${results.folder}`;
    notice('warn', line);
  }
  intake.finish();
  links.recordAll();
  record({
    type: 'end',
    outcome: end.outcome,
    reason: end.reason,
    notRepresentative: end.notRepresentative,
    exitCode: request.allowPartial && end.exitCode === exitCodes.partial ? 0 : end.exitCode,
  });
  view.close();
  const finished = await results.finish();
  if (owing.length === 0) await results.forgetSecret();
  printResults(finished, request.viewMode, request.viewOptions);
  return finished.exitCode;
}

interface Watched {
  readonly run: Run;
  readonly driver: RunDriver;
  readonly intake: LiveIntake;
  readonly results: RunResults;
  readonly view: RunView;
  readonly began: number;
}

/** Drives the run with the view kept fresh and signals heeded; 'impatient' when a second Ctrl-C came. */
async function watched(request: RunRequest, parts: Watched): Promise<RunEnd | 'impatient'> {
  const { io } = request;
  const { run, driver, intake, results, view, began } = parts;
  let shownAt = io.clock.nowMs();
  const show = (): void => {
    const now = io.clock.nowMs();
    const lateMs = Math.max(0, now - shownAt - viewEveryMs);
    shownAt = now;
    view.update({
      elapsedMs: now - began,
      lateMs,
      status: run.snapshot(readClock(io.clock)),
      live: results.aggregate.live(),
    });
    cancelShow = io.clock.after(viewEveryMs, show);
  };
  let cancelShow = io.clock.after(0, show);
  let interrupts = 0;
  let giveUp = (): void => undefined;
  const impatient = new Promise<'impatient'>((resolve) => {
    giveUp = () => {
      resolve('impatient');
    };
  });
  const offSignal = io.onSignal((signal) => {
    interrupts += 1;
    if (interrupts === 1) driver.feed({ kind: 'interrupt', signal });
    else giveUp();
  });
  try {
    const end = await Promise.race([driver.drive(), impatient]);
    if (end === 'impatient') {
      driver.cut();
      intake.finish();
      await results.flush();
      view.close();
      io.stderr.write(
        `Ended at once; the journal is in ${results.folder} (rebuild with: bench-controller report)\n`,
      );
    }
    return end;
  } finally {
    offSignal();
    cancelShow();
  }
}
