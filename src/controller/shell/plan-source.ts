import type { Environment } from './environment.js';

export interface PlanSource {
  /** Name of the config file in messages. */
  readonly file: string;
  readonly text: string;
  /** `--set` arguments, in order. */
  readonly sets?: readonly string[];
  /** `--agents`: replaces the list of the config. */
  readonly agentsOverride?: readonly string[] | undefined;
  /** `--embedded`: this many agents inside the controller instead of those of the config. */
  readonly embedded?: number | undefined;
  readonly env: Environment;
  /** For a plan without `seed`; tests pass a fixed one. */
  readonly randomSeed?: () => number;
}
