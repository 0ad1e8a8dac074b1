import { z } from 'zod';

/**
 * What the load generator of a host does when the storage takes no time: some stages of a plan, all of one shape, with
 * the `null` engine in the place of the target's. Part of an agent's answer to a preflight.
 */
export const selfTestSchema = z.object({
  /** By name; `wanted` is the most operations per second that the stage asks of this agent, null without a rate. */
  stages: z.array(z.object({ name: z.string(), wanted: z.number().nullable() })),
  threads: z.number(),
  iodepth: z.number(),
  operationsPerSecond: z.number(),
  /** CPU time of the workload process by operations. */
  cpuNsPerOperation: z.number(),
  /** CPUs that the workload process got: of an idle host as many as it has threads, or the host has. */
  cpus: z.number(),
  /** CPUs that everybody else used meanwhile. */
  othersCpus: z.number(),
  hostCpus: z.number(),
  /** Kernel threads that poll the rings of these threads' io_uring. Older agents do not say. */
  pollingThreads: z.number().default(0),
});

export type SelfTest = z.infer<typeof selfTestSchema>;
