/** All engines; nothing else imports an engine's file. A new engine is its file and a line here. */
import type { OperationKind } from '../../shared/model/operation.js';
import { parseTarget as parse } from '../../shared/model/target.js';
import type { EngineDefinition, StageOptions } from './engine.js';
import { fileEngine } from './file.js';
import { nullEngine } from './null.js';

export const engines: readonly EngineDefinition<StageOptions>[] = [fileEngine, nullEngine];

/** Measures Muster itself. */
export { nullEngine };

export interface ParsedTarget {
  readonly engine: EngineDefinition<StageOptions>;
  /** For files an absolute path, as given; empty for engines without folders. */
  readonly location: string;
}

/** @returns a sentence when no engine serves the target */
export function parseTarget(text: string): ParsedTarget | string {
  const target = parse(text);
  if ('problem' in target) return `target ${text}: ${target.problem}`;
  const engine = engines.find(({ name }) => name === target.engine);
  if (engine === undefined) return `target ${text}: this agent has no engine "${target.engine}"`;
  return { engine, location: target.engine === 'file' ? target.path : '' };
}

/** The operations of a mix that an engine does not know. */
export function unsupported(
  engine: EngineDefinition<StageOptions>,
  kinds: Iterable<OperationKind>,
): readonly OperationKind[] {
  return [...kinds].filter((kind) => !engine.supports.has(kind));
}
