import { z } from 'zod';
import { configSchema } from './schema.js';
import type { KeyMeta } from './fields.js';

/** JSON Schema (2020-12) of the config as it is written, for editors. */
export function configJsonSchema(): unknown {
  return describe(z.toJSONSchema(configSchema, { io: 'input' }));
}

/** Unit, bounds and default in words are our own metadata: they become sentences of the description. */
function describe(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(describe);
  if (typeof node !== 'object' || node === null) return node;
  const { unit, bounds, fallback, ...rest } = node as KeyMeta & Record<string, unknown>;
  const inner = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, describe(value)]),
  );
  if (typeof rest.description !== 'string') return inner;
  const details = [
    ['Unit', unit],
    ['Allowed', bounds],
    ['Default', fallback],
  ].flatMap(([name, text]) => (text === undefined ? [] : [`${String(name)}: ${text}.`]));
  return { ...inner, description: [`${rest.description}.`, ...details].join(' ') };
}
