import type { RunRecord } from '../../../src/controller/core/records.js';
import type { Plan } from '../../../src/shared/model/plan.js';
import { decodeCount } from './counted.js';
import type { History } from './history.js';
import type { TimedRecord } from './sim-controller.js';

type RecordOf<T extends RunRecord['type']> = Extract<RunRecord, { type: T }>;

function recordsOf<T extends RunRecord['type']>(
  history: History,
  type: T,
): { atMs: number; record: RecordOf<T> }[] {
  return history.controller.records.filter(
    (timed): timed is TimedRecord & { record: RecordOf<T> } => timed.record.type === type,
  );
}

/** The longest the run may take, from its plan, its timeouts and what went wrong. */
export function deadlineMs(history: History): number {
  const { plan, faults, agents } = history.scenario;
  const t = plan.timeouts;
  const connecting = t.connectMs + 2 * t.helloMs + t.reconnectWindowMs;
  const synchronising = 10_000 + t.prepareSilenceMs;
  const longest = (of: 'prepareMs' | 'cleanupMs' | 'drainMs'): number =>
    Math.max(...agents.map(({ traits }) => traits[of]));
  const preparing = 2 * (longest('prepareMs') + t.prepareSilenceMs + t.prepareIoStallMs);
  const starting = t.prepareIoStallMs + t.reconnectWindowMs + t.collectMs + 10_000 + 60_000;
  const stages = plan.stages.reduce((sum, stage) => {
    const operations = (stage.maxOperations ?? 0) / Math.min(...rates(history));
    const work = Math.max(stage.durationMs ?? 0, operations * 1000);
    const silence = t.pingAfterMs + t.hungAfterMs + 2 * t.collectMs;
    const ending = t.drainMs + t.abortMs + t.collectMs + longest('drainMs');
    return sum + starting + work + silence + ending;
  }, 0);
  const cleaning = 2 * (t.cleanupMs + longest('cleanupMs') + t.collectMs + t.reconnectWindowMs);
  // No agent that is frozen or cut off may hold the run up for longer than the timeouts say: only these may.
  const delaying = ['freezeController', 'stutter', 'slow', 'frames', 'stall', 'throttle'];
  const wrong = faults.reduce((sum, fault) => {
    if (!delaying.includes(fault.kind) || !('forMs' in fault)) return sum;
    return sum + fault.forMs * ('times' in fault ? fault.times : 1);
  }, 0);
  return connecting + synchronising + preparing + stages + cleaning + t.abortMs + 2 * wrong + 5000;
}

function rates(history: History): number[] {
  return history.scenario.agents.map(({ traits }) => traits.operationsPerSecond);
}

/** How long after its owner's end an agent may still be loading or busy. */
export function ownerlessMs(plan: Plan): number {
  const { reconnectWindowMs, leaseMs, abortMs } = plan.timeouts;
  const switchMs = Math.max(reconnectWindowMs + 5000, leaseMs);
  // The runner's own deadline lies 5 s behind control's; asked, killed and given up take 2 s each.
  return switchMs + 5000 + abortMs + 6000;
}

/** How long it may take until every agent is at rest: one that was given no plan yet goes by the default times. */
export function restMs(history: History): number {
  const withoutPlan = 150_000 + 2000;
  return Math.max(withoutPlan, ownerlessMs(history.scenario.plan)) + 2 * longestFreeze(history);
}

/** Everything that must hold in every history; returns what does not. */
export function violations(history: History): string[] {
  return [
    ...endsOnce(history),
    ...endsInTime(history),
    ...stagesEndInTime(history),
    ...startsTogether(history),
    ...readyOnce(history),
    ...transitions(history),
    ...totals(history),
    ...noOwnerlessLoad(history),
    ...outcome(history),
    ...freeAgain(history),
    ...atRest(history),
  ];
}

function endsOnce({ controller, controllerDiedMs }: History): string[] {
  const found: string[] = [];
  if (controller.effectsAfterEnd > 0) found.push('effects after `finished`');
  if (controllerDiedMs === undefined && !controller.finished) found.push('the run never ended');
  if (controller.finished && controller.run.wakeAt() !== undefined) {
    found.push('a finished run still wants a tick');
  }
  return found;
}

function endsInTime(history: History): string[] {
  const { finishedAtMs } = history.controller;
  if (finishedAtMs === undefined) return [];
  const found: string[] = [];
  const took = finishedAtMs - history.beganAtMs;
  if (took > deadlineMs(history)) found.push(`the run took ${String(took)} ms`);
  const { interruptedAtMs } = history;
  if (interruptedAtMs !== undefined && interruptedAtMs < finishedAtMs) {
    const limit = history.scenario.plan.timeouts.abortMs + 2 * history.controllerFrozenMs + 100;
    const after = finishedAtMs - interruptedAtMs;
    if (after > limit) found.push(`the run ended ${String(after)} ms after Ctrl-C`);
  }
  return found;
}

/** Whoever is silent, stuck or gone: a stage of fixed length is over not much later than planned. */
function stagesEndInTime(history: History): string[] {
  const { plan, faults, agents } = history.scenario;
  const { drainMs, abortMs, collectMs } = plan.timeouts;
  const slow = faults.map((fault) => (fault.kind === 'slow' ? fault.delayMs : 0));
  const delayMs = Math.max(...slow, ...agents.map((agent) => agent.delayMs + agent.jitterMs));
  const settleMs = 5000 + 4 * delayMs + 2 * history.controllerFrozenMs;
  return recordsOf(history, 'stageEnd').flatMap(({ atMs, record: { stage } }) => {
    const { durationMs } = plan.stages[stage]!;
    const start = recordsOf(history, 'stageStart').findLast(({ record }) => record.stage === stage);
    if (durationMs === undefined || !start) return [];
    const t0Ms = Number(start.record.t0Ns) / 1e6 - 5e6;
    const lateMs = atMs - t0Ms - durationMs;
    if (lateMs <= drainMs + abortMs + collectMs + settleMs) return [];
    return [`stage ${String(stage)} ended ${String(Math.round(lateMs))} ms late`];
  });
}

/** No agent runs before all are armed, and all that run begin at one instant. */
function startsTogether(history: History): string[] {
  const found: string[] = [];
  const starts = recordsOf(history, 'stageStart');
  const armedBy = (agent: number, atMs: number): boolean =>
    recordsOf(history, 'transition').some(
      (timed) => timed.record.agent === agent && timed.record.to === 'ARMED' && timed.atMs <= atMs,
    );
  for (const truth of history.truths) {
    const start = starts.find(
      ({ record }) => record.stage === truth.stage && record.epoch === truth.epoch,
    );
    const who = `agent ${String(truth.agent)} stage ${String(truth.stage)}`;
    if (!start || start.atMs > truth.beganMs) {
      found.push(`${who} ran without a Go`);
      continue;
    }
    if (!start.record.agents.includes(truth.agent)) found.push(`${who} ran uninvited`);
    for (const agent of start.record.agents) {
      if (!armedBy(agent, start.atMs))
        found.push(`${who} ran, agent ${String(agent)} was not armed`);
    }
    const started = recordsOf(history, 'started').find(
      ({ record }) => record.agent === truth.agent && record.stage === truth.stage,
    );
    // Who never said that it started is not judged: its bound is not known.
    if (!started) continue;
    const t0Ms = Number(start.record.t0Ns) / 1e6 - 5e6;
    const drift = 1e-4 * (truth.beganMs - start.atMs + 20_000) + 1;
    const frozen = history.scenario.faults.some(({ kind }) => kind === 'freeze');
    const early = t0Ms - truth.beganMs;
    const bound = started.record.boundNs / 1e6 + drift;
    if (early > bound) found.push(`${who} began ${String(early)} ms early, bound ${String(bound)}`);
    if (!frozen && -early > bound) {
      found.push(`${who} began ${String(-early)} ms late, bound ${String(bound)}`);
    }
  }
  return found;
}

function readyOnce({ controller }: History): string[] {
  const twice = controller.readies.filter((ready, at, all) => all.indexOf(ready) !== at);
  return twice.map((ready) => `READY ${ready} twice`);
}

function transitions({ controller }: History): string[] {
  return controller.notices.filter((line) => line.includes('Invalid transition'));
}

/** Results say what really happened, and their parts add up to them. */
function totals(history: History): string[] {
  const found: string[] = [];
  for (const { record } of recordsOf(history, 'stageResult')) {
    const { agent, result } = record;
    const who = `agent ${String(agent)} stage ${String(result.stage)}`;
    const truth = history.truths.find(
      (one) => one.agent === agent && one.stage === result.stage && one.runId === 'run-1',
    );
    const count = result.operations.reduce((sum, stats) => sum + stats.count, 0);
    const inHistogram = result.operations.reduce(
      (sum, { service }) => sum + decodeCount(service),
      0,
    );
    if (count !== inHistogram)
      found.push(`${who}: histogram holds ${String(inHistogram)} of ${String(count)}`);
    const reported = ['duration', 'operations', 'aborted'].includes(result.endedBy);
    if (reported && truth && truth.operations !== count && result.mechanism === 'simulated') {
      found.push(`${who}: result says ${String(count)}, ${String(truth.operations)} were done`);
    }
    if (truth && count > truth.operations) found.push(`${who}: more than was done`);
    found.push(...parts(history, agent, result.stage, result.intervals, count, who));
  }
  return found;
}

function parts(
  history: History,
  agent: number,
  stage: number,
  intervals: number,
  count: number,
  who: string,
): string[] {
  const mine = recordsOf(history, 'interval')
    .map(({ record }) => record)
    .filter((record) => record.agent === agent && record.interval.stage === stage)
    .map(({ interval }) => interval)
    .sort((a, b) => a.first - b.first);
  let sum = 0;
  let next = 0;
  for (const interval of mine) {
    if (interval.first < next) return [`${who}: second ${String(interval.first)} came twice`];
    next = interval.last + 1;
    for (const { service } of interval.operations) sum += decodeCount(service);
  }
  const held = mine.reduce((seconds, { first, last }) => seconds + last - first + 1, 0);
  if (held === intervals && sum !== count) {
    return [`${who}: intervals add up to ${String(sum)} of ${String(count)}`];
  }
  return sum > count ? [`${who}: intervals say more than the result`] : [];
}

/** No load outlives its owner by more than the dead man's switch allows. */
function noOwnerlessLoad(history: History): string[] {
  const end = history.controllerDiedMs ?? history.controller.finishedAtMs;
  if (end === undefined) return [];
  const limit = end + ownerlessMs(history.scenario.plan);
  return history.truths
    .filter(({ activeUntilMs }) => activeUntilMs > limit + longestFreeze(history))
    .map(({ agent, activeUntilMs }) => {
      const late = String(Math.round(activeUntilMs - end));
      return `agent ${String(agent)} was loading ${late} ms after its owner's end`;
    });
}

function longestFreeze(history: History): number {
  const { faults } = history.scenario;
  return Math.max(0, ...faults.map((fault) => ('forMs' in fault ? fault.forMs : 0)));
}

/** What the run says of itself agrees with what it recorded. */
function outcome(history: History): string[] {
  const { finished } = history.controller;
  if (!finished) return [];
  const { scenario, interruptedAtMs } = history;
  const found: string[] = [];
  const interrupted = recordsOf(history, 'decision').some(
    ({ record }) => record.event === 'interrupt',
  );
  if (interrupted !== (finished.exitCode === 130))
    found.push('interrupted, but not exit 130, or the reverse');
  if (interrupted && interruptedAtMs === undefined) found.push('interrupted by nobody');
  if (finished.exitCode === 0) found.push(...isComplete(history));
  if (scenario.faults.length === 0 && finished.exitCode !== 0) {
    found.push(
      `nothing went wrong, but exit ${String(finished.exitCode)}: ${String(finished.reason)}`,
    );
  }
  if (finished.exitCode !== 0 && finished.reason === undefined) found.push('no reason is given');
  if (finished.notRepresentative !== decided(history, 'exit 5'))
    found.push('notRepresentative is wrong');
  const aborted = recordsOf(history, 'decision').some(({ record }) =>
    record.verdict.startsWith('abort'),
  );
  if (finished.exitCode === 4 && aborted) found.push('partial, but it was aborted');
  return found;
}

function decided(history: History, verdict: string): boolean {
  return recordsOf(history, 'decision').some(({ record }) => record.verdict.includes(verdict));
}

function isComplete(history: History): string[] {
  if (history.scenario.mode !== 'run') return [];
  const results = recordsOf(history, 'stageResult');
  const wanted = history.scenario.plan.agents.length * history.scenario.plan.stages.length;
  return results.length === wanted
    ? []
    : [`exit 0 with ${String(results.length)} of ${String(wanted)} results`];
}

/** Where nothing but Ctrl-C disturbed the run, its agents are free for the next one as soon as it is over. */
function freeAgain({ scenario, ownedAfterEnd }: History): string[] {
  if (scenario.faults.some(({ kind }) => kind !== 'interrupt')) return [];
  return ownedAfterEnd.map((agent) => `agent ${String(agent)} is not free after the run`);
}

/** In the end nothing runs any more, and every agent that lives is free. */
function atRest(history: History): string[] {
  const found: string[] = [];
  for (const [index, host] of history.hosts.entries()) {
    const agent = host.agent();
    const who = `agent ${String(index)}`;
    if (agent?.session.owner) found.push(`${who} is still owned, ${agent.session.state}`);
    if (agent?.session.wakeAt() !== undefined) found.push(`${who} still has a timer`);
    if (host.runners.length > 0) found.push(`${who} still has a runner`);
  }
  return found;
}
