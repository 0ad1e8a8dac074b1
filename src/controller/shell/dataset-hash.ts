import { createHash } from 'node:crypto';
import { datasetIdentity } from '../../shared/model/split-plan.js';
import type { Plan } from '../../shared/model/plan.js';

/** SHA-256, hex: two datasets with the same hash are interchangeable. */
export function datasetHash(plan: Plan): string {
  return createHash('sha256').update(datasetIdentity(plan)).digest('hex');
}
