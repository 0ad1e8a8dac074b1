/** How two parts of plans differ, in the words of a config. */
import { inOneLine, planAsConfig, stageAsConfig } from '../../shared/model/config/print-plan.js';
import type { Plan, StagePlan } from '../../shared/model/plan.js';

/** `: threads 4 in A, 8 in B`; '' where there is nothing to name. */
function differences(a: unknown, b: unknown): string {
  const [one, other] = [keysOf(a), keysOf(b)];
  const parts = [...new Set([...one.keys(), ...other.keys()])].flatMap((key) => {
    const [ofA, ofB] = [one.get(key) ?? 'not set', other.get(key) ?? 'not set'];
    return ofA === ofB ? [] : [`${key} ${ofA} in A, ${ofB} in B`];
  });
  return parts.length === 0 ? '' : `: ${parts.join('; ')}`;
}

/** Of the dataset and the seed that is a part of it. */
export function datasetDifferences(a: Plan, b: Plan): string {
  const [one, other] = [planAsConfig(a), planAsConfig(b)].map(({ dataset, seed }) => ({
    ...(dataset as object),
    seed,
  }));
  return differences(one, other);
}

export function stageDifferences(a: StagePlan, b: StagePlan): string {
  return differences(stageAsConfig(a), stageAsConfig(b));
}

function keysOf(part: unknown): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(part ?? {}).flatMap(([key, value]: [string, unknown]) =>
      value === undefined ? [] : [[key, inOneLine(value)]],
    ),
  );
}
