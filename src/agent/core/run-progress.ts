import type { Instant } from '../../shared/kernel/clock.js';
import type { RunnerEvent } from '../runner/protocol.js';
import type { RunContext } from './run-context.js';
import { fail, finish } from './run-ending.js';
import { StageTotals } from './stage-totals.js';

type Step = Exclude<
  RunnerEvent,
  { kind: 'report' | 'log' | 'marked' | 'aborted' | 'failed' | 'interval' | 'stageResult' }
>;

const completed = { to: 'COMPLETED', reason: '', error: undefined, endedBy: 'duration' } as const;

/** What the runner says, turned into transitions of the run and messages to the controller. */
export function follow(run: RunContext, event: RunnerEvent, now: Instant): void {
  switch (event.kind) {
    case 'report':
      run.totals?.inFlight(event.inFlight);
      return;
    case 'log':
      run.tell(event.level, event.line);
      return;
    case 'marked':
      // Also while the run is ending: there is something then that stays.
      if (!run.isOver) run.send(event);
      return;
    case 'interval':
      if (!underLoad(run)) return;
      run.totals?.add(event);
      run.send(event);
      return;
    case 'stageResult':
      if (underLoad(run)) stageOver(run, event, now);
      return;
    case 'aborted':
      if (run.ending) finish(run, run.ending.plan, now);
      else if (!run.isOver) {
        fail(run, 'internal', `workload process stopped by itself: ${event.reason}`, now);
      }
      return;
    case 'failed':
      // What an agent finds wrong with its target is its own failure, also where others' had the run aborted.
      if (run.ending && !foundWrong(run)) finish(run, run.ending.plan, now);
      else if (!run.isOver) fail(run, event.code, event.message, now);
      return;
    default:
      // A run that is over or ending does not change state any more on what its runner gets done.
      if (!run.ending && !run.isOver) step(run, event, now);
  }
}

function step(run: RunContext, event: Step, now: Instant): void {
  switch (event.kind) {
    case 'progress':
    case 'target':
      run.send(event);
      return;
    case 'ready':
      ready(run, event.stage);
      return;
    case 'armed':
      if (!run.wait.isCurrent(event.stage, event.epoch) || !isWaiting(run)) return;
      run.enter('ARMED');
      run.send(event);
      return;
    case 'missed':
      if (!run.wait.isCurrent(event.stage, event.epoch) || !isWaiting(run)) return;
      run.enter('READY');
      run.send(event);
      return;
    case 'started':
      if (!underLoad(run)) return;
      run.totals?.started(event.firstOperationNs);
      run.send(event);
      return;
    case 'draining':
      if (underLoad(run)) drain(run, now);
      return;
    case 'prepared':
      if (run.state === 'PREPARING') finish(run, completed, now);
      return;
    case 'checked':
      run.send(event);
      if (run.state === 'PREPARING') finish(run, completed, now);
      return;
    case 'cleaned':
      run.send(event);
      if (run.state === 'CLEANING') finish(run, completed, now);
      return;
    default:
      event satisfies never;
  }
}

/** A failure in a run that was aborted before this agent was ready is one that it found by itself. */
function foundWrong({ ending, state }: RunContext): boolean {
  return state === 'PREPARING' && ending?.plan.error === undefined && !ending?.wasKilled;
}

function isWaiting(run: RunContext): boolean {
  return run.state === 'READY' || run.state === 'ARMED';
}

/** READY is said exactly once per stage, and only between stages. */
function ready(run: RunContext, stage: number): void {
  const betweenStages = run.state === 'DRAINING' && !run.totals;
  if ((run.state === 'PREPARING' || betweenStages) && run.wait.ready(stage)) {
    run.enter('READY');
    run.send({ kind: 'ready', stage });
  } else
    run.log('warn', `Ignoring READY for stage ${run.stageName(stage)} of the workload process`);
}

/** Is a stage under way? The first sign of load in ARMED begins it. */
function underLoad(run: RunContext): boolean {
  if (run.state === 'ARMED' && run.wait.stage !== undefined) {
    const { stage, atNs } = run.wait;
    const warmupMs = run.assignment?.stages[stage]?.warmupMs ?? 0;
    const measuredNs = atNs + BigInt(warmupMs) * 1_000_000n;
    run.totals = new StageTotals(stage, measuredNs, run.host.options.createHistogram);
    run.enter('RUNNING');
  }
  return run.totals !== undefined;
}

function drain(run: RunContext, now: Instant): void {
  if (run.state !== 'RUNNING') return;
  run.enter('DRAINING');
  const drainMs = run.assignment?.timeouts.drainMs;
  if (drainMs !== undefined) run.drainByMs = now.ms + drainMs;
}

function stageOver(
  run: RunContext,
  result: Extract<RunnerEvent, { kind: 'stageResult' }>,
  now: Instant,
): void {
  const drained = run.ending?.plan.endedBy === 'drained';
  run.sendResult(drained ? { ...result, endedBy: 'drained' } : result);
  run.totals = undefined;
  run.drainByMs = undefined;
  // Ended by its errors: the failure follows.
  if (run.ending || result.endedBy === 'error') return;
  if (isLastStage(run, result.stage)) finish(run, completed, now);
  else if (run.state === 'RUNNING') run.enter('DRAINING');
}

export function isLastStage(run: RunContext, stage: number): boolean {
  return stage + 1 === run.assignment?.stages.length;
}
