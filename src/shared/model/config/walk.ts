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

/** A mapping that a value may be, or the elements of a list that it may be. */
interface Form {
  readonly object: z.ZodObject;
  readonly isList: boolean;
}

/** Itself, the elements of a list, and each form of a union (but not a plain record). */
function formsIn(schema: z.core.$ZodType): readonly Form[] {
  const inner = unwrap(schema).schema;
  if (inner instanceof z.ZodObject) return [{ object: inner, isList: false }];
  if (inner instanceof z.ZodArray) {
    return formsIn(inner.element).map(({ object }) => ({ object, isList: true }));
  }
  return inner instanceof z.ZodUnion ? inner.options.flatMap(formsIn) : [];
}

const shapeOf = (object: z.ZodObject): Readonly<Record<string, z.core.$ZodType>> => object.shape;

/** Mappings that are a value written in several words, not sections of the file. */
export const valueKeys: ReadonlySet<string> = new Set(['mix', 'rate', 'error_policy']);

/** Every key, sections before what is in them, in the order of the schema. Weights of a mix are values, not keys. */
export function configKeys(object: z.ZodObject = configSchema, prefix = ''): ConfigKey[] {
  return Object.entries(shapeOf(object)).flatMap(([key, field]) => {
    const { schema, meta, required, fallback } = unwrap(field);
    const forms = valueKeys.has(key) ? [] : formsIn(schema);
    const name = `${prefix}${key}`;
    const own = { name, meta, required, fallback, section: forms.length > 0 };
    return [
      own,
      ...forms.flatMap((form) => configKeys(form.object, `${name}${form.isList ? '[]' : ''}.`)),
    ];
  });
}

/** The keys that may stand in the mapping at `path`. */
export function keysAt(path: KeyPath): readonly string[] {
  let forms: readonly Form[] = [{ object: configSchema, isList: false }];
  for (const [i, step] of path.entries()) {
    if (typeof step === 'number') continue;
    const isList = typeof path[i + 1] === 'number';
    forms = forms.flatMap(({ object }) => {
      const field = shapeOf(object)[step];
      return field === undefined ? [] : formsIn(field).filter((form) => form.isList === isList);
    });
  }
  return forms.flatMap(({ object }) => Object.keys(object.shape));
}
