/** How two parts of plans differ, in the words of a config. */
import { planAsConfig } from '../../shared/model/config/print-plan.js';
import type { Plan } from '../../shared/model/plan.js';

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

export function stageDifferences(a: Plan, b: Plan, name: string): string {
  const [one, other] = [a, b].map((plan) => {
    const stages = planAsConfig(plan)['stages'] as readonly { readonly name: string }[];
    return stages.find((stage) => stage.name === name);
  });
  return differences(one, other);
}

function keysOf(part: unknown): ReadonlyMap<string, string> {
  return new Map(
    Object.entries((part ?? {})).flatMap(([key, value]: [string, unknown]) =>
      value === undefined ? [] : [[key, typeof value === 'string' ? value : JSON.stringify(value)]],
    ),
  );
}
