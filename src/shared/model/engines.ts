/**
 * What each engine can do, for the checks that need no agent. The engines themselves are in src/agent/engines, and a
 * test there holds its registry against this table.
 */
import { operationKinds } from './operation.js';
import type { OperationKind } from './operation.js';

export type EngineName = 'file' | 'null';

export interface EngineCapability {
  /** Schemes of the target that select it; a plain path selects `file`. */
  readonly schemes: readonly string[];
  readonly operations: ReadonlySet<OperationKind>;
  /** Those of which a thread can have several in flight (`iodepth` above 1). */
  readonly concurrent: ReadonlySet<OperationKind>;
  /** Whether the dataset really exists somewhere. */
  readonly stores: boolean;
}

export const engineCapabilities: Readonly<Record<EngineName, EngineCapability>> = {
  file: {
    schemes: ['file'],
    operations: new Set(operationKinds),
    concurrent: new Set(['read', 'write']),
    stores: true,
  },
  null: {
    schemes: ['null'],
    operations: new Set(operationKinds),
    concurrent: new Set(operationKinds),
    stores: false,
  },
};

export const engineNames = Object.keys(engineCapabilities) as readonly EngineName[];
