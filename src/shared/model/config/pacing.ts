/** The keys of a stage that say when its operations are issued and which errors end it. */
import { z } from 'zod';
import { operationKinds } from '../operation.js';
import { parseRate } from '../pacing.js';
import { formatDurationNs, parseDurationNs } from '../units.js';
import { choice, day, duration, quantity } from './fields.js';
import type { OperationKind } from '../operation.js';
import type { Pacing, ParsedRate, Rate } from '../pacing.js';

const least: Readonly<Record<Rate['unit'], number>> = { operations: 0.01, bytes: 1 };
const most: Readonly<Record<Rate['unit'], number>> = { operations: 1e9, bytes: 1e15 };
const wrong =
  'must be a rate such as 20000/s, 0.5/s or 500MB/s, { from: 1000/s, to: 50000/s }, or a list of rates';

function rateProblem(input: string | number): string | undefined {
  const parsed = parseRate(input);
  if ('problem' in parsed) return parsed.problem;
  const { unit, value } = parsed;
  if (value >= least[unit] && value <= most[unit]) return undefined;
  return `"${String(input)}" is out of bounds: 0.01/s … 1e9/s, or 1B/s … 1PB/s`;
}

const oneRate = z.union([z.string(), z.number()], { error: wrong }).transform((input, context) => {
  const problem = rateProblem(input);
  const parsed = parseRate(input);
  if (problem === undefined && !('problem' in parsed)) return parsed;
  context.addIssue({ code: 'custom', message: problem ?? wrong });
  return z.NEVER;
});

const isScalar = (input: unknown): input is string | number =>
  typeof input === 'string' || typeof input === 'number';

const ramp = z.strictObject({ from: oneRate, to: oneRate }, { error: wrong });
const steps = z.array(oneRate, { error: wrong }).min(2, { error: 'needs at least two rates' });

type RateConfig =
  ParsedRate | { readonly from: ParsedRate; readonly to: ParsedRate } | ParsedRate[];

const rate = z
  .union([oneRate, ramp, steps.max(1000, { error: 'has more than 1000 rates' })], {
    error: ({ input }) => (isScalar(input) ? rateProblem(input) : undefined) ?? wrong,
  })
  .transform((written: RateConfig, context): Rate => {
    const parts = Array.isArray(written)
      ? written.map((one) => [one, one] as const)
      : ['from' in written ? [written.from, written.to] : [written, written]];
    const units = new Set(parts.flat().map((part) => part.unit));
    if (units.size > 1) {
      context.addIssue({ code: 'custom', message: 'mixes operations and bytes per second' });
      return z.NEVER;
    }
    return {
      unit: parts[0]?.[0].unit ?? 'operations',
      steps: parts.map(([from, to]) => ({ from: from.value, to: to.value })),
    };
  });

const policy = choice(['continue', 'stop']);
const policies = z.strictObject(
  Object.fromEntries(operationKinds.map((kind) => [kind, policy.optional()])) as Record<
    OperationKind,
    z.ZodOptional<typeof policy>
  >,
);

const percentage = z
  .string({ error: 'must be a percentage such as 1% or 0.5%' })
  .regex(/^\d{1,3}(?:\.\d{1,4})?%$/, { error: 'must be a percentage such as 1% or 0.5%' })
  .transform((text) => Number(text.slice(0, -1)) / 100)
  .refine((share) => share <= 1, { error: 'must be at most 100%' });

/** Spread into the schema of a stage. */
export const pacingFields = {
  rate: rate.optional().meta({
    description:
      'Open loop: operations or bytes per second of the whole run, divided over its agents and threads. `{ from: 1000/s, to: 50000/s }` goes up (or down) over the duration, `[1000/s, 5000/s]` in steps of equal length; `0.5/s` is one operation every two seconds',
    unit: 'rate',
    bounds: '0.01/s … 1e9/s, 1B/s … 1PB/s',
    fallback: 'closed loop: as fast as it goes',
  }),
  arrival: choice(['constant', 'poisson']).prefault('constant').meta({
    description:
      'How the operations of a `rate` follow each other: evenly, or at random with the same mean, as requests of many independent users do',
    unit: 'word',
    bounds: 'constant, poisson',
  }),
  think_time: quantity(
    parseDurationNs,
    formatDurationNs,
    { min: 0, max: 3600e9 },
    'a duration such as 100us or 10ms',
  )
    .prefault('0')
    .meta({
      description: 'Closed loop: pause of each thread between two operations; counts as no latency',
      unit: 'duration',
      bounds: '0 … 1h',
    }),
  warmup: duration({ min: 0, max: day }).prefault('0').meta({
    description:
      'Load before the measured part, reported apart; `duration` and the other limits begin to count after it',
  }),
  max_error_rate: percentage.optional().meta({
    description:
      'An agent fails when more than this share of its operations do, looked at once a second from 100 operations on, and at the end',
    unit: 'percentage',
    bounds: '0% … 100%',
    fallback: 'off',
  }),
  error_policy: z
    .union([policy, policies], {
      error: 'must be continue, stop, or a mapping such as { write: stop }',
    })
    .prefault('continue')
    .meta({
      description:
        'What an error does: it is counted and the load goes on, or the agent stops its load and fails; for all operations or by operation, such as `{ write: stop }`',
      unit: 'word or mapping',
      bounds: 'continue, stop',
    }),
};

interface Written {
  readonly rate?: Rate | undefined;
  readonly arrival: Pacing['arrival'];
  readonly think_time: number;
  readonly warmup: number;
  readonly max_error_rate?: number | undefined;
  readonly error_policy: z.output<typeof policy> | z.output<typeof policies>;
}

export function resolvePacing(stage: Written, kinds: readonly OperationKind[]): Pacing {
  const { error_policy: stop } = stage;
  return {
    rate: stage.rate,
    arrival: stage.arrival,
    thinkTimeNs: stage.think_time,
    warmupMs: stage.warmup,
    maxErrorRate: stage.max_error_rate,
    stopOn:
      typeof stop === 'string'
        ? kinds.filter(() => stop === 'stop')
        : operationKinds.filter((kind) => stop[kind] === 'stop'),
  };
}
