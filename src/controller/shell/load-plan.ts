/** From a config file and the command line to a plan that makes sense, or to everything that is wrong with it. */
import { readFile } from 'node:fs/promises';
import { randomInt } from 'node:crypto';
import { basename } from 'node:path';
import { checkPlan } from '../core/check-plan.js';
import { codeOf, MusterError, reasonOf } from '../../shared/kernel/errors.js';
import { explain } from '../../shared/model/config/explain.js';
import { exitCodes } from '../../shared/model/outcome.js';
import { parsePartly } from '../../shared/model/config/parse-partly.js';
import { printPath, startsWith } from '../../shared/model/config/path.js';
import { resolvePlan } from '../../shared/model/config/resolve.js';
import { findSecrets } from '../../shared/model/config/secrets.js';
import { agentFlags, listAgents } from './agent-flags.js';
import { applyOverrides } from './config-overrides.js';
import { readConfigSource } from './config-source.js';
import { PlanError, printProblem } from './plan-error.js';
import type { Finding } from '../core/finding.js';
import type { KeyPath, Problem } from '../../shared/model/config/path.js';
import type { Config } from '../../shared/model/config/schema.js';
import type { Plan } from '../../shared/model/plan.js';
import type { LocatedProblem } from './config-source.js';
import type { PlanSource } from './plan-source.js';

export interface LoadedPlan {
  readonly plan: Plan;
  /** The file verbatim, for the results folder. */
  readonly configText: string;
  readonly configPath: string;
  /** Sentences with their place. */
  readonly warnings: readonly string[];
}

/** Throws MusterError (exit code 2) for a file that cannot be read, and PlanError with all that is wrong in it. */
export async function loadPlanFile(source: Omit<PlanSource, 'text'>): Promise<LoadedPlan> {
  let text: string;
  try {
    text = await readFile(source.file, 'utf8');
  } catch (error) {
    throw unreadable(source.file, error);
  }
  return loadPlan({ ...source, text });
}

/** Throws PlanError (exit code 2) with all problems. */
export function loadPlan(source: PlanSource): LoadedPlan {
  const { file } = source;
  const read = readConfigSource(source.text, file, source.env);
  if (read.data === undefined) throw new PlanError(file, read.problems);
  if (read.data === null) {
    throw new PlanError(file, [{ where: `${file}:1:1`, message: 'the config is empty' }]);
  }
  const flags = agentFlags(source, read.data);
  const overridden = applyOverrides(flags.data, source.sets ?? []);
  const locate = ({ path, message, atKey = false }: Problem): LocatedProblem => {
    const flag = overridden.flagOf(path) ?? (path[0] === 'agents' ? flags.name : undefined);
    return {
      ...(flag === undefined ? read.whereIs(path, atKey) : { where: flag }),
      message: path.length === 0 ? message : `${printPath(path)}: ${message}`,
    };
  };

  const { issues, config, broken } = parsePartly(overridden.data);
  // What a variable that is not set would have been is not known: nothing more is said of it.
  const known = (problem: LocatedProblem): boolean =>
    problem.offset === undefined || read.problems.every(({ offset }) => offset !== problem.offset);
  const problems = [
    ...read.problems,
    ...overridden.problems,
    ...[...findSecrets(overridden.data), ...explain(issues, overridden.data)]
      .map(locate)
      .filter(known),
  ];
  if (config === undefined) throw new PlanError(file, problems);

  const listed = listAgents(config, flags.embedded);
  const plan = resolvePlan(config, {
    agents: listed.agents,
    defaultName: defaultName(file),
    randomSeed: source.randomSeed ?? (() => randomInt(2 ** 32)),
  });
  const reported = [...broken, ...listed.problems.map(({ path }) => path)];
  const findings = checkPlan(plan)
    .map((finding) => inConfig(finding, config, listed.entries))
    .filter((finding) => !dependsOn(finding, reported));
  problems.push(
    ...listed.problems.map(locate).filter(known),
    ...findings
      .filter(({ level }) => level === 'error')
      .map(locate)
      .filter(known),
  );
  if (problems.length > 0) throw new PlanError(file, problems);
  const warnings = findings.map(locate).map(printProblem);
  return { plan, configText: source.text, configPath: file, warnings };
}

/** The file's name without its ending, as far as it can be a name; else `run`. */
function defaultName(file: string): string {
  const name = basename(file).replace(/\.[^.]*$/, '');
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name) ? name : 'run';
}

/** The same finding with the paths of the config, where several agents may come from one entry or one target. */
function inConfig(finding: Finding, config: Config, entries: readonly number[]): Finding {
  const translate = (path: KeyPath): KeyPath => {
    const [section, index, key] = path;
    if (section !== 'agents' || typeof index !== 'number') return path;
    const entry = entries[index] ?? 0;
    const mapping = config.agents?.[entry];
    const own = typeof mapping === 'object' && mapping.target !== undefined;
    return key === 'target' && !own ? ['target'] : ['agents', entry, ...path.slice(2)];
  };
  const path = translate(finding.path);
  return { ...finding, path, about: (finding.about ?? []).map(translate) };
}

/** Whether a finding follows from something that is reported already: a broken key in the same section or stage. */
function dependsOn(finding: Finding, broken: readonly KeyPath[]): boolean {
  return [finding.path, ...(finding.about ?? [])].some((path) => {
    const section = path.slice(0, typeof path[1] === 'number' ? 2 : 1);
    return broken.some((place) => startsWith(place, section) || startsWith(section, place));
  });
}

function unreadable(file: string, error: unknown): MusterError {
  const why: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'permission denied',
    EISDIR: 'it is a folder',
  };
  return new MusterError(`Cannot read ${file}: ${why[codeOf(error) ?? ''] ?? reasonOf(error)}`, {
    exitCode: exitCodes.usage,
    hint: 'bench-controller init writes an example',
    cause: error,
  });
}
