/** The resolved plan in the words of a config file: what `validate` prints, and itself a config that gives the same plan. */
import { isEmbedded } from '../embedded.js';
import { pacingAsConfig } from '../pacing.js';
import { noFolder } from '../target.js';
import { formatDuration, formatSize } from '../units.js';
import { printAccess } from './access.js';
import { printBlocks, printSizes } from './sizes.js';
import type { DatasetPlan, FailurePolicy, Plan, StagePlan } from '../plan.js';

type Plain = Readonly<Record<string, unknown>>;

/** Embedded agents have no address to write down and are left out. */
export function planAsConfig(plan: Plan): Plain {
  const agents = plan.agents.filter((agent) => !isEmbedded(agent.address));
  const common = commonTarget(plan);
  return present({
    name: plan.name,
    agents:
      agents.length === 0
        ? undefined
        : agents.map(({ address, id, target, threads, labels }) =>
            present({
              address,
              id,
              target: common === undefined && target !== noFolder ? target : undefined,
              threads,
              labels: Object.keys(labels).length === 0 ? undefined : labels,
            }),
          ),
    target: common,
    namespace: plan.namespace,
    // One that was drawn is for this run only.
    seed: plan.dataset.seed,
    dataset: printDataset(plan.dataset),
    stages: plan.stages.map(stageAsConfig),
    expect: plan.expect.map(({ text }) => text),
    failure_policy: printPolicy(plan.failurePolicy),
    timeouts: printTimeouts(plan),
    limits: plan.limits,
    max_start_spread: formatDuration(plan.maxStartSpreadMs),
    results: plan.results,
    tls: plan.tls,
  });
}

function printDataset({ given, prepare, ...dataset }: DatasetPlan): Plain {
  return {
    name: dataset.name,
    files: dataset.files,
    file_size: printSizes(dataset.fileSizes ?? dataset.fileSizeBytes),
    directories: dataset.directories,
    ...(given === undefined ? {} : { [given.kind]: given.paths }),
    content: dataset.content,
    verify: dataset.verify,
    prepare:
      prepare === 'none'
        ? 'none'
        : present({
            threads: prepare.threads,
            block_size: formatSize(prepare.blockSizeBytes),
            direct: prepare.direct,
          }),
    keep: dataset.keep,
  };
}

function commonTarget(plan: Plan): string | undefined {
  const targets = new Set(plan.agents.map(({ target }) => target));
  const only = targets.size === 1 ? plan.agents[0]?.target : undefined;
  return only === noFolder ? undefined : only;
}

export function stageAsConfig(stage: StagePlan): Plain {
  const [only, ...others] = stage.mix;
  const weights = stage.mix.map(({ operation, weight }) => [operation, weight]);
  return present({
    name: stage.name,
    mix: only !== undefined && others.length === 0 ? only.operation : Object.fromEntries(weights),
    block_size: printBlocks(stage.blockSizeBytes, stage.blockSizes),
    access: printAccess(stage.access),
    verify: stage.verify,
    threads: stage.threads,
    direct: stage.direct,
    noatime: stage.noatime,
    iodepth: stage.iodepth,
    sync: stage.sync,
    fsync: stage.fsync,
    fio: stage.fio,
    fdatasync: stage.fdatasync,
    drop_cache: stage.dropCache,
    duration: stage.durationMs === undefined ? undefined : formatDuration(stage.durationMs),
    max_operations: stage.maxOperations,
    shift: stage.shift,
    max_bytes: stage.maxBytes === undefined ? undefined : formatSize(stage.maxBytes),
    ...pacingAsConfig(stage),
  });
}

function printPolicy(policy: FailurePolicy): string {
  return typeof policy === 'string' ? policy : `${String(policy.percent)}%`;
}

/** connectMs → connect. */
function printTimeouts(plan: Plan): Plain {
  const entries = Object.entries(plan.timeouts) as [string, number | undefined][];
  return Object.fromEntries(
    entries.map(([name, ms]) => [
      name.replace(/Ms$/, '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      ms === undefined ? 'off' : formatDuration(ms),
    ]),
  );
}

function present(record: Plain): Plain {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** A value of the config as YAML in one line: `{ read: 70, write: 30 }`. */
export function inOneLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const entries = Object.entries(value).map(([key, inner]) => `${key}: ${inOneLine(inner)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}
