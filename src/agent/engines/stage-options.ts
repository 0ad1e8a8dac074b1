import { z } from 'zod';
import type { StageAssignment } from '../../shared/model/assignment.js';

/** What a stage says about how I/O is done. The null engine takes the same, so that any plan can be tried with it. */
export const stageOptionsSchema = z.strictObject({
  direct: z.boolean(),
  noatime: z.boolean(),
  fsync: z.union([z.enum(['never', 'end', 'every']), z.int().min(1)]),
});

export type StageOptions = z.infer<typeof stageOptionsSchema>;

export function stageOptionsOf(stage: StageAssignment): StageOptions {
  return { direct: stage.direct, noatime: stage.noatime, fsync: stage.fsync };
}
