import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentErrorCode } from '../../shared/model/messages.js';
import { Ending, abortGraceMs, startGraceMs } from './ending.js';
import type { EndPlan } from './ending.js';
import type { RunContext } from './run-context.js';

/** Before Prepare brought the run's own. */
const defaultAbortMs = 5_000;

const notStopped = 'workload process did not stop in time: killing it';
const notStarted =
  'workload process had not started up when the run was aborted (no CPU for it?): whether this agent can be prepared is not known; "bench-controller check" tells';

/**
 * Ends the run whatever it is doing; nothing happens when it is over or already ending. Operations in flight get
 * `graceMs`.
 */
export function end(
  run: RunContext,
  plan: EndPlan,
  now: Instant,
  graceMs = abortGraceMs(abortMsOf(run)),
): void {
  if (run.ending || run.isOver) return;
  if (run.state === 'ARMED') run.tell('info', 'Coordinated start cancelled by ABORT');
  if (!run.runner) {
    finish(run, plan, now);
    return;
  }
  const startMs = run.runner.hasSpoken ? 0 : startGraceMs(abortMsOf(run));
  run.ending = Ending.asked(plan, graceMs + startMs, now.ms);
  run.order({ kind: 'abort', reason: plan.reason, graceMs });
}

function abortMsOf({ assignment }: RunContext): number {
  return assignment?.timeouts.abortMs ?? defaultAbortMs;
}

/** Ends the run with SIGKILL; its result is what the runner reported before. */
export function kill(run: RunContext, plan: EndPlan, now: Instant): void {
  if (run.isOver) return;
  if (!run.runner) {
    finish(run, plan, now);
    return;
  }
  if (!run.ending?.wasKilled) run.host.emit({ kind: 'killRunner', runner: run.runner.id });
  run.ending = Ending.killed(plan, now.ms);
}

/** The agent cannot go on with this run, and its runner has nothing more to say. */
export function fail(run: RunContext, code: AgentErrorCode, message: string, now: Instant): void {
  const endedBy = code === 'killed' || code === 'lease' ? 'killed' : 'error';
  finish(run, { to: 'FAILED', reason: message, error: { code, message }, endedBy }, now);
}

/** The run is over: its last words. A completed run keeps its runner for Cleanup. */
export function finish(run: RunContext, plan: EndPlan, now: Instant): void {
  if (run.totals) {
    const endedBy = run.ending?.wasKilled && plan.endedBy === 'aborted' ? 'killed' : plan.endedBy;
    run.sendResult(run.totals.result(endedBy, plan.reason));
  }
  if (plan.error) {
    run.log('error', plan.error.message);
    run.send({ kind: 'error', ...plan.error });
  }
  run.enter(plan.to);
  if (!run.finalSent || plan.to !== 'COMPLETED') {
    run.send({ kind: 'final', state: plan.to, reason: plan.reason });
  }
  run.finalSent = true;
  if (plan.to !== 'COMPLETED' || run.ending) retireRunner(run, now);
  run.totals = undefined;
  run.drainByMs = undefined;
  run.ending = undefined;
}

/** The run cares no longer for its runner: told to quit if it was not killed, watched until it is gone. */
export function retireRunner(run: RunContext, now: Instant): void {
  if (!run.runner) return;
  const { reaper } = run.host;
  if (run.ending?.wasKilled) reaper.killed(run.runner.id, now.ms);
  else {
    run.order({ kind: 'quit' });
    reaper.asked(run.runner.id, now.ms);
  }
  run.runner = undefined;
}

/** Carries on an ending whose time has come. */
export function continueEnding(run: RunContext, ending: Ending, now: Instant): void {
  if (!run.runner) return;
  switch (ending.tick(now.ms)) {
    case 'wait':
      return;
    case 'kill':
      run.tell('warn', run.runner.hasSpoken ? notStopped : notStarted);
      run.host.emit({ kind: 'killRunner', runner: run.runner.id });
      return;
    case 'giveUp': {
      const message =
        'workload process cannot be killed (stuck in the kernel, a hung mount?): this agent stays busy until it is gone';
      const error = ending.plan.error ?? { code: 'stuck' as const, message };
      if (ending.plan.error) run.tell('error', message);
      run.host.reaper.gaveUp(run.runner.id);
      run.runner = undefined;
      finish(run, { ...ending.plan, error }, now);
    }
  }
}
