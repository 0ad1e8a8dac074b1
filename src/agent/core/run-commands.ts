import { reasonOf } from '../../shared/kernel/errors.js';
import type { Instant } from '../../shared/kernel/clock.js';
import { engineCapabilities } from '../../shared/model/engines.js';
import { parseTarget } from '../../shared/model/target.js';
import type { Assignment, AssignmentMode } from '../../shared/model/assignment.js';
import { commandTable, refusalLine } from './command-table.js';
import type { Command } from './command-table.js';
import { noConsent } from './given-guard.js';
import type { RunContext } from './run-context.js';
import { end, fail } from './run-ending.js';
import { RunnerWatch } from './runner-watch.js';

/** Carries a command out, or says in the log why not. */
export function obey(run: RunContext, command: Command, now: Instant): void {
  if (run.ending) {
    const name = command.kind.toUpperCase();
    const what = command.kind === 'abort' ? `duplicate ${name}` : name;
    run.log('warn', `Ignoring ${what} command (already aborting)`);
    return;
  }
  const reaction = commandTable[run.state][command.kind];
  if (reaction !== 'carryOut') {
    run.log('warn', refusalLine(command.kind, run.state, reaction));
    return;
  }
  switch (command.kind) {
    case 'prepare':
      prepare(run, command.assignment, now);
      return;
    case 'start':
      start(run, command);
      return;
    case 'go':
      go(run, command);
      return;
    case 'share':
      share(run, command);
      return;
    case 'abort':
      run.log('info', `Aborting run ${run.host.runId}: ${command.reason}`);
      end(
        run,
        { to: 'ABORTED', reason: command.reason, error: undefined, endedBy: 'aborted' },
        now,
      );
      return;
    case 'cleanup':
      cleanup(run, now);
      return;
    default:
      command satisfies never;
  }
}

function prepare(run: RunContext, json: string, now: Instant): void {
  let assignment: Assignment;
  try {
    assignment = run.host.options.parseAssignment(json);
  } catch (thrown) {
    fail(run, 'config', `assignment refused: ${reasonOf(thrown)}`, now);
    return;
  }
  if (assignment.runId !== run.host.runId) {
    fail(run, 'config', `assignment refused: it is of run ${assignment.runId}`, now);
    return;
  }
  run.assignment = assignment;
  run.enter(assignment.mode === 'cleanup' ? 'CLEANING' : 'PREPARING');
  fork(run, assignment, assignment.mode, now);
}

function fork(run: RunContext, assignment: Assignment, mode: AssignmentMode, now: Instant): void {
  run.runner = new RunnerWatch(run.host.nextRunner(), now.ms);
  const asynchronous = asynchronousDepth(assignment);
  run.host.emit({ kind: 'forkRunner', runner: run.runner.id, asynchronous });
  const { roots, consent = noConsent } = run.host.options;
  run.order({ kind: 'prepare', assignment: { ...assignment, mode }, roots, consent });
}

function start(run: RunContext, command: Extract<Command, { kind: 'start' }>): void {
  const { stage, epoch, atNs } = command;
  switch (run.wait.start(stage, epoch, atNs)) {
    case 'arm':
      run.order({ kind: 'arm', stage, epoch, atNs });
      return;
    case 'outdated':
      run.log('warn', `Ignoring duplicate START command (already ${run.state})`);
      return;
    case 'otherStage': {
      if (leavesOut(run, stage)) {
        run.order({ kind: 'arm', stage, epoch, atNs });
        // Getting ready for the stage, as between two stages.
        run.enter('DRAINING');
        return;
      }
      const { stage: readyFor = 0 } = run.wait;
      const reason = `agent is ready for stage ${run.stageName(readyFor)}`;
      run.send({ kind: 'missed', stage, epoch, reason });
    }
  }
}

/** An agent that waits for the start of a stage which went on without it is wanted for a later one. */
function leavesOut({ state, wait, assignment }: RunContext, stage: number): boolean {
  const stages = assignment?.stages.length ?? 0;
  return state === 'READY' && wait.stage !== undefined && stage > wait.stage && stage < stages;
}

function go(run: RunContext, { stage, epoch }: Extract<Command, { kind: 'go' }>): void {
  if (run.wait.isCurrent(stage, epoch)) run.order({ kind: 'go', stage, epoch });
  else run.log('warn', `Ignoring GO command (epoch ${String(epoch)} was replaced)`);
}

function share(run: RunContext, command: Extract<Command, { kind: 'share' }>): void {
  const { epoch, index, count } = command;
  if (epoch <= run.shareEpoch) {
    run.log('warn', `Ignoring SHARE command (epoch ${String(epoch)} was replaced)`);
    return;
  }
  run.shareEpoch = epoch;
  run.order({ kind: 'share', index, count });
}

/** The runner of a run that completed is usually alive; one that was killed at the end of the last stage is replaced. */
function cleanup(run: RunContext, now: Instant): void {
  run.enter('CLEANING');
  if (run.runner) run.order({ kind: 'cleanup' });
  else if (run.assignment) fork(run, run.assignment, 'cleanup', now);
}

/** Asynchronous operations that a run has in flight at once at most; 0 when all its operations are blocking ones. */
function asynchronousDepth({ stages, target }: Assignment): number {
  const parsed = parseTarget(target);
  if ('problem' in parsed || !engineCapabilities[parsed.engine].stores) return 0;
  const depths = stages.map(({ threads, iodepth }) => (iodepth > 1 ? threads * iodepth : 0));
  return Math.max(0, ...depths);
}
