import type { Plan } from '../../shared/model/plan.js';
import { version } from '../../shared/model/version.js';
import type { SelfTest } from '../../shared/model/self-test.js';
import { cachedReads, givenBytesOf, memoryBytesOf } from '../core/cached-reads.js';
import { busyWarning, pollingWarnings, rateWarnings } from '../core/generator-limits.js';
import { otherVersions } from '../core/other-versions.js';
import { remoteFilesOf, remoteFileWarnings } from '../core/remote-files.js';
import { sameHost, sameHostWarnings } from '../core/same-host.js';
import type { CheckOutcome } from '../shell/check-fleet.js';
import { bytes, duration, rate } from './format.js';
import { table } from './table.js';
import { counted } from '../../shared/kernel/counted.js';

/** What a preflight found: a line per agent, what is wrong, what its generator can do, and what to beware of. */
export function checkText(plan: Plan, outcomes: readonly CheckOutcome[]): string {
  const head = ['agent', 'address', 'version', 'wall clock', 'clock bound', 'round trip'];
  const rows = outcomes.map((outcome) => {
    const { agent, facts, clock, report } = outcome;
    return [
      agent.id,
      agent.address,
      facts?.version ?? '-',
      clock ? offset(clock.wallOffsetMs) : '-',
      clock ? `+-${micros(clock.boundNs)}` : '-',
      clock ? micros(clock.roundTripNs) : '-',
      placeOf(report),
      typeof report?.freeBytes === 'number' ? bytes(report.freeBytes) : '-',
      outcome.problems.length === 0 ? 'yes' : 'NO',
    ];
  });
  const problems = outcomes.flatMap(({ agent, problems: its }) =>
    its.map((problem) => `${agent.id}: ${problem}`),
  );
  const fit = outcomes.filter((outcome) => outcome.problems.length === 0).length;
  const lines = [
    ...table([[...head, 'mount', 'free', 'fit'], ...rows], ''),
    ...problems,
    ...sharedLines(plan, outcomes),
    ...generatorLines(outcomes),
    ...warnings(plan, outcomes).map((line) => `WARNING: ${line}`),
    `${String(fit)}/${String(outcomes.length)} agents are fit to run`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function sharedLines({ namespace }: Plan, outcomes: readonly CheckOutcome[]): readonly string[] {
  const [first, ...others] = outcomes;
  const isProven = others.length > 0 && outcomes.every(({ isShared }) => isShared);
  if (namespace !== 'shared' || first === undefined || !isProven) return [];
  const who =
    others.length === 1 ? 'the other agent sees' : `all ${String(others.length)} others see`;
  return [`shared target: ${who} what ${first.agent.id} writes`];
}

function generatorLines(outcomes: readonly CheckOutcome[]): readonly string[] {
  const lines = outcomes.flatMap(({ agent, report }) =>
    (report?.selfTests ?? []).map((test) => `${agent.id}: ${generatorLine(test)}`),
  );
  if (lines.length === 0) return [];
  const meaning =
    'This is without any storage (null engine): stages that come near it measure the load generator.';
  return [...lines, meaning];
}

function generatorLine(test: SelfTest): string {
  const { stages, threads, iodepth, operationsPerSecond, cpuNsPerOperation } = test;
  const shape = [
    counted(threads, 'thread'),
    ...(iodepth > 1 ? [`iodepth ${String(iodepth)}`] : []),
  ].join(' and ');
  const of = stages.map(({ name }) => name).join(', ');
  return `generator: ${rate(operationsPerSecond)} ops/s with ${shape}, ${duration(cpuNsPerOperation)} CPU per operation (stage ${of})`;
}

function warnings(plan: Plan, outcomes: readonly CheckOutcome[]): readonly string[] {
  const memories = outcomes.map(({ agent, facts, report }) => ({
    plan: agent,
    memoryBytes: memoryBytesOf(facts?.host),
    givenBytes: givenBytesOf(report),
  }));
  const groups = sameHost(
    outcomes.map(({ agent, facts }) => ({ plan: agent, bootId: facts?.bootId })),
  );
  const remote = outcomes.map(({ agent, facts, report }) => ({
    plan: agent,
    bootId: facts?.bootId,
    remoteFiles: remoteFilesOf(report),
  }));
  const ofGenerators = outcomes.flatMap(({ agent: { id }, report }) => {
    const tests = report?.selfTests ?? [];
    const group = groups.find((ids) => ids.includes(id)) ?? [];
    const others = outcomes.filter(({ agent }) => agent.id !== id && group.includes(agent.id));
    const polling = pollingWarnings(
      tests,
      others.map((other) => other.report?.selfTests ?? []),
    );
    const busy = busyWarning(
      tests,
      others.map(({ agent }) => agent.id),
    );
    const all = [...rateWarnings(tests), ...polling, ...(busy === undefined ? [] : [busy])];
    return all.map((line) => `${id}: ${line}`);
  });
  const versions = outcomes.map(({ agent: { id }, facts }) => ({ id, version: facts?.version }));
  return [
    ...otherVersions(versions, version),
    ...cachedReads(plan, plan.stages, memories),
    ...sameHostWarnings(plan, plan.stages, groups),
    ...remoteFileWarnings(plan, plan.stages, remote),
    ...ofGenerators,
  ];
}

function placeOf(report: CheckOutcome['report']): string {
  if (report?.mount) return `${report.mount.type} on ${report.mount.point}`;
  const [first, ...others] = report?.given ?? [];
  if (first === undefined) return '-';
  const size = bytes(report?.given?.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) ?? 0);
  return others.length === 0 ? `${first.path}, ${size}` : `${first.path} … (${size})`;
}

/** Of the agent's wall clock against the controller's: nothing depends on it. */
function offset(ms: number): string {
  return `${ms < 0 ? '' : '+'}${duration(ms * 1e6)}`;
}

function micros(ns: number): string {
  return ns < 1e6 ? `${(ns / 1e3).toFixed(0)} us` : `${(ns / 1e6).toFixed(1)} ms`;
}
