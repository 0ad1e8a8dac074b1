/** The schema as a tree of keys: for suggestions, for docs/config.md, and for the test that no key is ignored. */
import { z } from 'zod';
import { configSchema } from './schema.js';
import type { KeyPath } from './path.js';
import type { KeyMeta } from './fields.js';

export interface ConfigKey {
  /** `stages[].threads`. */
  readonly name: string;
  readonly meta: KeyMeta;
  readonly required: boolean;
  /** As it would be written in the file; undefined when there is no fixed one. */
  readonly fallback: unknown;
  /** Has keys of its own. */
  readonly section: boolean;
}

interface Unwrapped {
  readonly schema: z.core.$ZodType;
  readonly meta: KeyMeta;
  readonly required: boolean;
  readonly fallback: unknown;
}

/** Through optional and prefault to what they wrap; the outermost metadata wins. */
function unwrap(schema: z.core.$ZodType): Unwrapped {
  const meta = (z.globalRegistry.get(schema) ?? {}) as KeyMeta;
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
    const inner = unwrap(schema.def.innerType);
    const fallback: unknown =
      schema instanceof z.ZodPrefault ? schema.def.defaultValue : inner.fallback;
    return { ...inner, meta: { ...inner.meta, ...meta }, required: false, fallback };
  }
  return { schema, meta, required: true, fallback: undefined };
}

/** The object in it: itself, the elements of a list, or the mapping form of a union (but not a plain record). */
function objectIn(schema: z.core.$ZodType): z.ZodObject | undefined {
  const inner = unwrap(schema).schema;
  if (inner instanceof z.ZodObject) return inner;
  if (inner instanceof z.ZodArray) return objectIn(inner.element);
  if (inner instanceof z.ZodUnion) return inner.options.map(objectIn).find((o) => o !== undefined);
  return undefined;
}

const shapeOf = (object: z.ZodObject): Readonly<Record<string, z.core.$ZodType>> => object.shape;

/** Every key, sections before what is in them, in the order of the schema. Weights of a mix are values, not keys. */
export function configKeys(object: z.ZodObject = configSchema, prefix = ''): ConfigKey[] {
  return Object.entries(shapeOf(object)).flatMap(([key, field]) => {
    const { schema, meta, required, fallback } = unwrap(field);
    const inner = key === 'mix' ? undefined : objectIn(schema);
    const name = `${prefix}${key}`;
    const own = { name, meta, required, fallback, section: inner !== undefined };
    if (inner === undefined) return [own];
    const list = schema instanceof z.ZodArray ? '[]' : '';
    return [own, ...configKeys(inner, `${name}${list}.`)];
  });
}

/** The keys that may stand in the mapping at `path`. */
export function keysAt(path: KeyPath): readonly string[] {
  let object: z.ZodObject | undefined = configSchema;
  for (const step of path) {
    if (typeof step === 'number' || object === undefined) continue;
    const field: z.core.$ZodType | undefined = shapeOf(object)[step];
    object = field === undefined ? undefined : objectIn(field);
  }
  return object === undefined ? [] : Object.keys(object.shape);
}
