import type { AgentState } from '../../shared/model/agent-state.js';
import type { Assignment } from '../../shared/model/assignment.js';
import type { Instant } from '../../shared/kernel/clock.js';
import type { LogLevel } from '../../shared/kernel/log.js';
import { silentWorkload, stalledBy } from '../../shared/model/stalled-by.js';
import type { RunnerEvent } from '../runner/protocol.js';
import { Alarm, earliest } from './alarm.js';
import type { Command } from './command-table.js';
import { punctualMs } from './ending.js';
import type { EndPlan } from './ending.js';
import { obey } from './run-commands.js';
import { RunContext } from './run-context.js';
import type { RunHost } from './run-context.js';
import { continueEnding, end, fail, finish, kill, retireRunner } from './run-ending.js';
import { follow, isLastStage } from './run-progress.js';
import { exitText } from './runner-watch.js';
import type { RunnerWatch } from './runner-watch.js';
import type { RunnerExit } from './session-io.js';

/** Its watchdog kills it then: after a sleep of this host before the agent itself has looked at the time. */
const leaseOver =
  'the workload process ended by itself, because its lease was not renewed in time (was this host or the controller stopped?)';

/** It reports once a second. */
const reportLateNs = 3e9;

/** How much later than the controller's words the runner's end may be read. */
const momentNs = 5_000_000_000n;

/** One run on this agent, from Open until the agent is released: its state, its runner, its way to an end. */
export class AgentRun {
  readonly #run: RunContext;
  readonly #drainAlarm = new Alarm(punctualMs);
  #leaseUntilNs: bigint | undefined;
  /** When a lease was renewed too late for the last time. */
  #lapsedAtNs: bigint | undefined;

  constructor(host: RunHost) {
    this.#run = new RunContext(host);
  }

  get state(): AgentState {
    return this.#run.state;
  }

  get isOver(): boolean {
    return this.#run.isOver;
  }

  get timeouts(): Assignment['timeouts'] | undefined {
    return this.#run.assignment?.timeouts;
  }

  /** It was more than a look at the host. */
  get hasBegun(): boolean {
    const { assignment } = this.#run;
    return assignment !== undefined && assignment.mode !== 'check';
  }

  get runner(): RunnerWatch | undefined {
    return this.#run.runner;
  }

  /** Threads whose operations do not complete for want of a CPU. */
  get starvedThreads(): number {
    return starvedThreads(this.#run);
  }

  command(command: Command, now: Instant): void {
    obey(this.#run, command, now);
  }

  runnerEvent(event: RunnerEvent, now: Instant): void {
    this.#run.runner?.heard(event, now.ms);
    follow(this.#run, event, now);
  }

  runnerExited(exit: RunnerExit, now: Instant): void {
    const run = this.#run;
    run.runner = undefined;
    if (run.ending) finish(run, run.ending.plan, now);
    else if (run.isOver) run.log('warn', exitText(exit));
    else if (exit.signal === 'SIGKILL' && this.#leaseWasOver(now)) {
      fail(run, 'lease', leaseOver, now);
    } else fail(run, exit.signal === null ? 'crashed' : 'killed', exitText(exit), now);
  }

  end(plan: EndPlan, now: Instant): void {
    end(this.#run, plan, now);
  }

  /** The agent is taken away at once: what is known now is the result, the runner is killed. */
  abandon(plan: EndPlan, now: Instant): void {
    kill(this.#run, plan, now);
    if (this.#run.ending) finish(this.#run, plan, now);
    this.dismissRunner(now);
  }

  /** The run has left the agent; only a completed run still has a runner then. */
  dismissRunner(now: Instant): void {
    retireRunner(this.#run, now);
  }

  /** A line for both logs and the results, which have it from the log as well: no result may come any more. */
  note(line: string): void {
    this.#run.notes.push(line);
    this.#run.log('warn', line);
    this.#run.send({ kind: 'log', level: 'warn', line, inResults: true });
  }

  /** A line for both logs. */
  tell(level: LogLevel, line: string): void {
    this.#run.tell(level, line);
  }

  lease(untilNs: bigint, now: Instant): void {
    if (this.#isLeaseOver(now)) this.#lapsedAtNs = now.ns;
    this.#leaseUntilNs = untilNs;
    this.#run.order({ kind: 'lease', untilNs });
  }

  #isLeaseOver({ ns }: Instant): boolean {
    return this.#leaseUntilNs !== undefined && ns >= this.#leaseUntilNs;
  }

  /** Now, or a moment ago: what the controller had said before all of them slept may be read before the runner's end is. */
  #leaseWasOver(now: Instant): boolean {
    const lapsedAtNs = this.#lapsedAtNs;
    const hasJustLapsed = lapsedAtNs !== undefined && now.ns - lapsedAtNs <= momentNs;
    return hasJustLapsed || this.#isLeaseOver(now);
  }

  wakeAt(): number | undefined {
    const { ending, runner, drainByMs } = this.#run;
    if (ending) return ending.wakeAt();
    const limitMs = this.timeouts?.runnerSilenceMs;
    return earliest(
      limitMs === undefined ? undefined : runner?.wakeAt(limitMs),
      drainByMs === undefined ? undefined : this.#drainAlarm.wakeAt(drainByMs),
    );
  }

  /** After a freeze the result may be there, not yet read. */
  #isDrainOver({ ms }: Instant): boolean {
    const { drainByMs } = this.#run;
    return drainByMs !== undefined && this.#drainAlarm.expired(drainByMs, ms);
  }

  tick(now: Instant): void {
    const run = this.#run;
    if (run.ending) continueEnding(run, run.ending, now);
    else if (this.#isDrainOver(now)) drainOver(run, now);
    else silence(run, now);
  }
}

/** The stage is over but operations hang: they count as abandoned, which is a result and no failure of the last stage. */
function drainOver(run: RunContext, now: Instant): void {
  const seconds = Math.round((run.assignment?.timeouts.drainMs ?? 0) / 1000);
  const isSilent = (run.runner?.silenceNs(now.ms) ?? 0) > reportLateNs;
  const cause = isSilent ? silentWorkload : stalledBy(starvedThreads(run));
  const reason = `operations were still in flight ${String(seconds)}s after the end of the stage (${cause})`;
  run.tell('warn', reason);
  const last = run.totals !== undefined && isLastStage(run, run.totals.stage);
  const error = last ? undefined : ({ code: 'stuck', message: reason } as const);
  end(run, { to: last ? 'COMPLETED' : 'FAILED', reason, error, endedBy: 'drained' }, now, 0);
}

/**
 * Threads that wait for storage sleep. Those that do not want a CPU, and do not get it. 0 when they are fewer than half
 * of those with an operation.
 */
function starvedThreads({ runner, assignment, totals }: RunContext): number {
  const { runnableThreads = 0, inFlight = 0 } = runner?.latest ?? {};
  const { threads = inFlight } = assignment?.stages[totals?.stage ?? -1] ?? {};
  return runnableThreads * 2 >= Math.min(threads, inFlight) ? runnableThreads : 0;
}

function silence(run: RunContext, now: Instant): void {
  const limitMs = run.assignment?.timeouts.runnerSilenceMs;
  if (limitMs === undefined || !run.runner?.silentFor(limitMs, now.ms)) return;
  const seconds = Math.round(limitMs / 1000);
  const message = `workload process has not reported for ${String(seconds)}s: killed`;
  if (run.isOver) {
    retireRunner(run, now);
    return;
  }
  kill(
    run,
    { to: 'FAILED', reason: message, error: { code: 'stuck', message }, endedBy: 'killed' },
    now,
  );
}
