/** What an agent accepts as an assignment: strictly the interface Assignment, with every number bounded. */
import { z } from 'zod';
import { fioProblem } from './fio-options.js';
import { operationKinds } from './operation.js';
import { mostGivenPaths } from './plan.js';
import type { Assignment } from './assignment.js';

const integer = (max: number, min = 0) => z.number().int().min(min).max(max);
const most = Number.MAX_SAFE_INTEGER;
const days = 366 * 86_400_000;
const text = (max: number) => z.string().min(1).max(max);
/** Becomes part of a path on the agent: no separators, no dots in front. */
const folderName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
const limit = (max: number, min = 0) => integer(max, min).optional();

const range = z
  .strictObject({ from: integer(1e8), to: integer(1e8) })
  .refine(({ from, to }) => from <= to, { error: 'from is after to' });

const fraction = z.number().positive().max(1);

const access = z.union([
  z.enum(['sequential', 'random', 'shuffled']),
  z.strictObject({ zipf: z.number().positive().max(100) }),
  z.strictObject({ hotspot: z.strictObject({ data: fraction, operations: fraction }) }),
  z.strictObject({
    strided: z.strictObject({ chunkBytes: limit(most, 1), strideBytes: limit(most, 1) }),
  }),
]);
const perSecond = z.number().positive().max(1e15);
/** The interface Pacing. */
const pacingShape = {
  rate: z
    .strictObject({
      unit: z.enum(['operations', 'bytes']),
      steps: z
        .array(z.strictObject({ from: perSecond, to: perSecond }))
        .min(1)
        .max(1000),
    })
    .optional(),
  arrival: z.enum(['constant', 'poisson']),
  thinkTimeNs: integer(3600e9),
  warmupMs: integer(days),
  maxErrorRate: z.number().min(0).max(1).optional(),
  stopOn: z.array(z.enum(operationKinds)).max(operationKinds.length),
};

const ratio = z.number().min(1).max(1000);

const content = z.union([
  z.enum(['random', 'zero']),
  z.strictObject({ compress: ratio, dedup: ratio }),
]);

const someSize = integer(most, 1);

const sizes = z.union([
  someSize,
  z.strictObject({ uniform: z.tuple([someSize, someSize]) }),
  z.strictObject({
    lognormal: z.strictObject({ mean: someSize, sd: someSize, min: someSize, max: someSize }),
  }),
  z.strictObject({
    weighted: z
      .array(z.strictObject({ size: someSize, weight: z.number().positive() }))
      .min(1)
      .max(100),
  }),
]);

/** Whatever a controller sends, nothing but what is known to stay within the dataset reaches fio. */
const fioOptions = z
  .record(text(64), text(256))
  .refine((options) => Object.entries(options).every(([name, value]) => !fioProblem(name, value)), {
    error: 'has an option or value that this agent does not pass on to fio',
  });

const stage = z
  .strictObject({
    index: integer(1000),
    name: text(64),
    mix: z
      .array(
        z.strictObject({
          operation: z.enum(operationKinds),
          weight: z.number().positive().max(1e6),
        }),
      )
      .min(1)
      .max(operationKinds.length),
    blockSizeBytes: integer(1024 ** 3, 1),
    blockSizes: z.strictObject({ read: sizes, write: sizes }).optional(),
    access,
    verify: z.boolean(),
    threads: integer(256, 1),
    direct: z.boolean(),
    noatime: z.boolean(),
    fsync: z.union([z.enum(['never', 'end', 'every']), integer(1e9, 1)]),
    fio: fioOptions.optional(),
    iodepth: integer(65_536, 1),
    sync: z.enum(['none', 'o_sync', 'o_dsync']),
    fdatasync: z.boolean(),
    dropCache: z.boolean(),
    durationMs: limit(days, 1),
    maxOperations: limit(1e15),
    maxBytes: limit(most),
    shift: limit(9999, 1),
    ...pacingShape,
  })
  // undefined is not in JSON: a limit that is not there is a missing key, and a present one in the interface.
  .transform((read) => ({
    ...read,
    blockSizes: read.blockSizes,
    durationMs: read.durationMs,
    maxOperations: read.maxOperations,
    maxBytes: read.maxBytes,
    shift: read.shift,
    rate: read.rate,
    maxErrorRate: read.maxErrorRate,
    fio: read.fio,
  }));

const given = z.strictObject({
  kind: z.enum(['existing', 'devices']),
  paths: z
    .array(text(4096).regex(/^\/[^\0]*$/))
    .min(1)
    .max(mostGivenPaths),
});

const tuning = z
  .strictObject({
    threads: limit(256, 1),
    blockSizeBytes: integer(1024 ** 3, 1),
    direct: z.boolean(),
  })
  .transform((read) => ({ ...read, threads: read.threads }));

export const assignmentSchema: z.ZodType<Assignment> = z
  .strictObject({
    runId: text(128),
    mode: z.enum(['run', 'prepare', 'cleanup', 'check']),
    agentIndex: integer(10_000),
    agentCount: integer(10_000, 1),
    agentId: text(64),
    target: text(4096).regex(/^[^\0]*$/),
    namespace: z.enum(['private', 'shared']),
    seed: integer(2 ** 32 - 1),
    creator: text(512),
    dataset: z
      .strictObject({
        name: folderName,
        hash: z.string().regex(/^[0-9a-f]{64}$/),
        fileSizeBytes: integer(most, 1),
        fileSizes: sizes.optional(),
        directories: z.strictObject({ width: integer(10_000, 1), depth: integer(8) }),
        content,
        verify: z.boolean(),
        own: range,
        use: range,
        given: given.optional(),
        prepare: z.union([z.literal('none'), tuning]),
        skipPrepare: z.boolean(),
      })
      .transform((read) => ({ ...read, fileSizes: read.fileSizes })),
    stages: z.array(stage).max(1000),
    sentinel: z
      .strictObject({
        name: z.string().regex(/^\.muster-shared-[0-9a-f]{16}$/),
        act: z.enum(['make', 'find', 'remove']),
      })
      .optional(),
    timeouts: z
      .strictObject({
        drainMs: integer(days),
        abortMs: integer(days),
        leaseMs: integer(days),
        reconnectWindowMs: integer(days),
        runnerSilenceMs: integer(days),
        operationMs: limit(days, 1),
      })
      .transform((read) => ({ ...read, operationMs: read.operationMs })),
  })
  .refine(({ agentIndex, agentCount }) => agentIndex < agentCount, {
    error: 'agentIndex is not below agentCount',
    path: ['agentIndex'],
  });
