import { Command } from 'commander';
import { stringify } from 'yaml';
import { planAsConfig } from '../../shared/model/config/print-plan.js';
import { writes } from '../../shared/model/assignment.js';
import { splitPlan } from '../../shared/model/split-plan.js';
import { meanSize } from '../../shared/model/sizes.js';
import { formatMeanRate } from '../../shared/model/pacing.js';
import type { Rate } from '../../shared/model/pacing.js';
import { formatSize } from '../../shared/model/units.js';
import { keepsNothing } from '../core/makes-dataset.js';
import { datasetHash } from '../shell/dataset-hash.js';
import { addPlanOptions, loadPlanOf } from './plan-options.js';
import type { Assignment, StageAssignment } from '../../shared/model/assignment.js';
import type { Plan } from '../../shared/model/plan.js';
import type { CommandIo } from './command-io.js';
import type { PlanOptions } from './plan-options.js';
import { counted } from '../../shared/kernel/counted.js';

/** Prints the resolved plan: YAML that is a config again, with what each agent gets as comments. No network. */
export function validateCommand(io: CommandIo): Command {
  return addPlanOptions(
    new Command('validate').description('check a config and print the resolved plan; no network'),
  ).action(async (file: string, options: PlanOptions) => {
    const { plan } = await loadPlanOf(file, options, io);
    printPlan(plan, io);
  });
}

/** `skipPrepare`: as with --skip-prepare. */
export function printPlan(
  plan: Plan,
  io: Pick<CommandIo, 'stdout'>,
  { skipPrepare = false }: { readonly skipPrepare?: boolean } = {},
): void {
  io.stdout.write(stringify(planAsConfig(plan), { lineWidth: 0 }));
  io.stdout.write(`${comments(plan, skipPrepare).join('\n')}\n`);
}

function comments(plan: Plan, skipPrepare: boolean): string[] {
  const assignments = splitPlan(plan, 'validate', 'validate', 'run', {
    datasetHash: datasetHash(plan),
    skipPrepare,
  });
  return ['', 'What each agent gets:', ...assignments.flatMap((a) => describe(plan, a))].map(
    (line) => `# ${line}`.trimEnd(),
  );
}

function describe(plan: Plan, assignment: Assignment): string[] {
  const { agentId, agentIndex, target, dataset, stages } = assignment;
  const { from, to } = dataset.own;
  const address = plan.agents[agentIndex]?.address ?? '';
  const files =
    to === from || keepsNothing(target)
      ? 'no files to make'
      : madeBy(dataset, `${range(from, to - 1)} (${amount(dataset, to - from)})`);
  const work =
    dataset.given === undefined
      ? `on ${target}, ${files}`
      : `${writes(stages) ? 'overwrites' : 'reads'} ${dataset.given.paths.join(', ')}`;
  return [
    `${agentId} (${address}) ${work}`,
    ...stages.map((stage) => `  ${stage.name}: ${share(stage, plan.agents.length)}`),
  ];
}

function range(first: number, last: number): string {
  return first === last ? `file ${String(first)}` : `files ${String(first)}–${String(last)}`;
}

function madeBy({ skipPrepare, prepare }: Assignment['dataset'], files: string): string {
  if (skipPrepare) return `expects ${files}`;
  return prepare === 'none' ? `its stages make ${files}` : `makes ${files}`;
}

/** Sizes that are drawn are known to the agents only. */
function amount({ fileSizes, fileSizeBytes }: Assignment['dataset'], files: number): string {
  return fileSizes === undefined
    ? formatSize(files * fileSizeBytes)
    : `about ${formatSize(Math.round(meanSize(fileSizes)) * files)}`;
}

function share(stage: StageAssignment, agents: number): string {
  const { threads, iodepth, maxOperations, maxBytes, rate } = stage;
  return [
    counted(threads, 'thread'),
    ...(iodepth > 1 ? [`iodepth ${String(iodepth)}`] : []),
    ...(maxOperations === undefined ? [] : [counted(maxOperations, 'operation')]),
    ...(maxBytes === undefined ? [] : [formatSize(maxBytes)]),
    ...(rate === undefined ? [] : [rateShare(rate, agents)]),
  ].join(', ');
}

/** The rate of the run is divided equally. */
function rateShare({ unit, steps }: Rate, agents: number): string {
  const part = (value: number): string => formatMeanRate(value / agents, unit);
  return steps
    .map(({ from, to }) => (from === to ? part(from) : `${part(from)} to ${part(to)}`))
    .join(', then ');
}
