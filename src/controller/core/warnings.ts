import type { Bottleneck } from './cpu-use.js';
import type { Plan, StagePlan } from '../../shared/model/plan.js';
import { cachedReads } from './cached-reads.js';
import { failureWarnings } from './failed-operations.js';
import { remoteFileWarnings } from './remote-files.js';
import { sameHostWarnings } from './same-host.js';
import { starvedOperations } from './starved-operations.js';
import type { AgentTrack, StageTrack } from './stage-track.js';
import type { GeneratorBound, StageSummary, Summary } from './summary.js';
import { counted } from '../../shared/kernel/counted.js';

/** Shorter ones are what a busy host does. */
const standstillMs = 1000;

export function generatorBound(
  stages: readonly StageTrack[],
  agents: readonly AgentTrack[],
): readonly GeneratorBound[] {
  return stages.flatMap((stage) =>
    agents.flatMap(({ plan }) => {
      const cpu = stage.agents.get(plan.index)?.cpu;
      if (cpu?.bottleneck === undefined) return [];
      const round = (share: number): number => Math.round(share * 1e4) / 1e4;
      return [
        {
          stage: stage.plan.name,
          agent: plan.id,
          host_cpu: round(cpu.host),
          runner_cpu: round(cpu.runner),
          bottleneck: cpu.bottleneck,
        },
      ];
    }),
  );
}

/** What an agent warns of, as the results say it. */
export function agentWarning(id: string, text: string): string {
  return `agent ${id}: ${text}`;
}

/** Who did not complete a stage is named with the cause; its own word for that is not said again. */
export function isSaid(id: string, text: string, warnings: readonly string[]): boolean {
  const loss = (warning: string): boolean =>
    warning.includes(`: agent ${id} `) && warning.includes(' did not complete it (');
  return warnings.some((warning) => loss(warning) && warning.includes(text));
}

/** One sentence for each thing that makes the numbers less than perfect; nothing to say, no warning. */
export function warningsOf(
  plan: Plan,
  agents: readonly AgentTrack[],
  stages: readonly StageSummary[],
  facts: Pick<Summary, 'representative' | 'measurement'>,
): readonly string[] {
  const { measurement } = facts;
  // Where none started, the outcome's reason has said it.
  const started = stages.some((stage) => stage.agents_started > 0) ? stages : [];
  const planned = (those: readonly StageSummary[]): readonly StagePlan[] =>
    plan.stages.filter(({ name }) => those.some((stage) => stage.name === name));
  return [
    ...(facts.representative
      ? []
      : ['not representative: too few agents lived to the end for these numbers to stand for all']),
    ...started.flatMap((stage) => stageWarnings(stage, plan, agents)),
    ...cachedReads(plan, planned(started.filter(hasRead)), agents),
    ...boundWarnings(measurement.generator_bound, stages),
    ...standstillWarnings(stages),
    // What made no load (prepare, cleanup) shared nothing that counts.
    ...(started.length > 0 ? sameHostWarnings(plan, planned(started), measurement.same_host) : []),
    ...remoteFileWarnings(plan, planned(started), agents),
    ...agents.flatMap(outageWarnings),
    ...(measurement.missing_intervals > 0
      ? [`${seconds(measurement.missing_intervals)} missing from the time line (in the totals)`]
      : []),
    ...(measurement.dropped_live > 0
      ? [`${seconds(measurement.dropped_live)} counted in the totals only: controller overloaded`]
      : []),
    ...(measurement.controller_late_ms > 500
      ? [`the controller's own loop was late by up to ${ms(measurement.controller_late_ms)}`]
      : []),
  ];
}

function hasRead({ operations }: StageSummary): boolean {
  return (operations['read']?.count ?? 0) + (operations['get']?.count ?? 0) > 0;
}

function stageWarnings(
  stage: StageSummary,
  plan: Plan,
  agents: readonly AgentTrack[],
): readonly string[] {
  const warnings: string[] = [];
  if (stage.agents_started === 0) return [`stage ${stage.name} did not start`];
  const spreadMs = (stage.start?.spread_ns ?? 0) / 1e6;
  if (spreadMs > plan.maxStartSpreadMs) {
    const did = stage.start?.of === 'release' ? 'let fio go' : 'started';
    warnings.push(
      `stage ${stage.name}: agents ${did} ${ms(spreadMs)} apart, more than max_start_spread (${ms(plan.maxStartSpreadMs)})`,
    );
  }
  for (const { after_s: after, agents: ids } of stage.rate?.divisions ?? []) {
    const when = after === 0 ? 'from its start' : `after ${String(Math.round(after))}s`;
    const over = `${String(ids.length)} of ${counted(agents.length, 'agent')}`;
    warnings.push(`stage ${stage.name}: its rate was divided over ${over} ${when}`);
  }
  warnings.push(...idleWarnings(stage, plan));
  for (const agent of agents) {
    const { id } = agent.plan;
    const own = stage.agents[id];
    if (!own) continue;
    if (own.state !== 'COMPLETED') {
      const reason = agent.reason.replace(`Agent ${id} failed: `, '').replace(`Agent ${id} `, '');
      const why = reason === '' ? '' : `: ${reason}`;
      // Who looks after its host needs its address.
      const who = `agent ${id} at ${agent.plan.address}`;
      warnings.push(`stage ${stage.name}: ${who} did not complete it (${own.state}${why})`);
    }
    if (own.abandoned > 0) {
      warnings.push(
        `stage ${stage.name}: agent ${id} abandoned ${counted(own.abandoned, 'operation')} in flight`,
      );
    }
  }
  const { mix = [] } = plan.stages.find(({ name }) => name === stage.name) ?? {};
  return [...warnings, ...failureWarnings(stage), ...starvedOperations(stage, mix)];
}

/** A stage by time in which there was nothing (left) to do passes for a measurement, and is none. */
function idleWarnings(stage: StageSummary, plan: Plan): readonly string[] {
  const { durationMs } = plan.stages.find(({ name }) => name === stage.name) ?? {};
  const own = Object.values(stage.agents);
  const idle = own.filter((agent) => agent.ended_by === 'exhausted');
  if (durationMs === undefined || idle.length === 0) return [];
  const last = Math.max(...idle.map(({ done_s: done }) => done ?? 0));
  const of = `${String(idle.length)} of ${counted(own.length, 'agent')}`;
  return [
    `stage ${stage.name}: ${of} had nothing left to do after ${last.toFixed(1)} s of ${String(durationMs / 1000)} s`,
  ];
}

function outageWarnings({ plan, outages }: AgentTrack): readonly string[] {
  const { lossesMs, hangsMs } = outages;
  return [
    ...(lossesMs.length > 0
      ? [`agent ${plan.id}: its link broke ${times(lossesMs)} and was down for ${sum(lossesMs)}`]
      : []),
    ...(hangsMs.length > 0
      ? [`agent ${plan.id}: it hung ${times(hangsMs)} and did not respond for ${sum(hangsMs)}`]
      : []),
  ];
}

function times({ length }: readonly unknown[]): string {
  return length === 1 ? 'once' : counted(length, 'time');
}

function sum(durationsMs: readonly number[]): string {
  return ms(durationsMs.reduce((total, one) => total + one, 0));
}

function boundWarnings(
  bound: readonly GeneratorBound[],
  stages: readonly StageSummary[],
): readonly string[] {
  return stages.flatMap((stage) => {
    const agents = bound.filter((one) => one.stage === stage.name);
    if (agents.length === 0) return [];
    const of = `${String(agents.length)} of ${counted(stage.agents_started, 'agent')}`;
    return [
      `stage ${stage.name}: generator-bound on ${of} (${causes(agents, stage)}): ${agents.map((one) => one.agent).join(', ')}`,
    ];
  });
}

/** What was in flight or due meanwhile took so long: the storage did not do that. */
function standstillWarnings(stages: readonly StageSummary[]): readonly string[] {
  return stages.flatMap(({ name, agents, agents_started: started }) => {
    const stood = Object.entries(agents).filter(([, own]) => own.standstill_ms >= standstillMs);
    if (stood.length === 0) return [];
    const longest = Math.max(...stood.map(([, own]) => own.standstill_ms));
    const of = `${String(stood.length)} of ${counted(started, 'agent')}`;
    const who = stood.map(([id]) => id).join(', ');
    return [
      `stage ${name}: the workload process stood still for up to ${ms(longest)} on ${of} (stopped, or no CPU for it?), which may be in the latencies: ${who}`,
    ];
  });
}

/** Node's rings, not those of a stage that fio runs. */
const polling =
  ', some of it of the kernel threads that poll the rings of iodepth: more threads without it may do more';

/** `CPU 97 %`: of the host's CPUs, else of the thread that is the busiest. */
function causes(bound: readonly GeneratorBound[], stage: StageSummary): string {
  const of = (bottleneck: Bottleneck): readonly GeneratorBound[] =>
    bound.filter((one) => one.bottleneck === bottleneck);
  const most = (shares: readonly number[]): string =>
    `${String(Math.round(Math.max(...shares) * 100))} %`;
  const hosts = of('host CPU').map((one) => one.host_cpu);
  const isPolled = of('host CPU').some((one) =>
    stage.agents[one.agent]?.mechanism?.startsWith('io_uring'),
  );
  const threads = of('thread CPU').map((one) => stage.agents[one.agent]?.busiest_thread_cpu ?? 0);
  return [
    ...(hosts.length > 0 ? [`CPU ${most(hosts)}${isPolled ? polling : ''}`] : []),
    ...(threads.length > 0
      ? [`every thread busy, up to ${most(threads)}: more threads may do more`]
      : []),
    ...(of('late wake-ups').length > 0 ? ['threads woke up late for their schedules'] : []),
  ].join('; ');
}

function seconds(count: number): string {
  return counted(count, 'agent-second');
}

function ms(value: number): string {
  return `${String(Math.round(value * 10) / 10)} ms`;
}
