/** All engines; nothing else imports an engine's file. A new engine is its file and a line here. */
import type { OperationKind } from '../../shared/model/operation.js';
import type { EngineDefinition, StageOptions } from './engine.js';
import { fileEngine } from './file.js';
import { nullEngine } from './null.js';

export const engines: readonly EngineDefinition<StageOptions>[] = [fileEngine, nullEngine];

export interface ParsedTarget {
  readonly engine: EngineDefinition<StageOptions>;
  /** What follows the scheme: for files, a path. */
  readonly location: string;
}

/**
 * `null:` → the null engine; `file:///path` and plain paths → files.
 * @returns a sentence when no engine serves the target
 */
export function parseTarget(target: string): ParsedTarget | string {
  const scheme = /^([a-z][a-z0-9+.-]*):(?:\/\/)?(.*)$/su.exec(target);
  if (scheme === null) return { engine: fileEngine, location: target };
  const engine = engines.find(({ name }) => name === scheme[1]);
  if (engine !== undefined) return { engine, location: scheme[2] ?? '' };
  const known = engines.map(({ name }) => `${name}:`).join(', ');
  return `target ${target}: no engine for "${String(scheme[1])}:" (there are ${known} and plain paths)`;
}

/** The operations of a mix that an engine does not know. */
export function unsupported(
  engine: EngineDefinition<StageOptions>,
  kinds: Iterable<OperationKind>,
): readonly OperationKind[] {
  return [...kinds].filter((kind) => !engine.supports.has(kind));
}
