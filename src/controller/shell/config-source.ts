/** A config text as data that remembers where each key stands. YAML 1.2, of which JSON is a part. */
import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
} from 'yaml';
import { expandVariables } from './environment.js';
import type { Document, Node, ParsedNode, YAMLError } from 'yaml';
import type { Environment } from './environment.js';
import type { KeyPath } from '../../shared/model/config/path.js';

/** A problem with its place; `where` is `file:line:column`, or a command-line flag. */
export interface LocatedProblem {
  readonly where: string;
  /** Offset in the file; undefined for a flag. */
  readonly offset?: number | undefined;
  readonly message: string;
}

export interface ConfigSource {
  /** Plain data; undefined when there were syntax problems. */
  readonly data: unknown;
  readonly problems: readonly LocatedProblem[];
  /** `file:line:column` of the value at `path` (or of its key), or of the nearest ancestor that is in the file. */
  whereIs(path: KeyPath, atKey: boolean): Pick<LocatedProblem, 'where' | 'offset'>;
}

export function readConfigSource(text: string, file: string, env: Environment): ConfigSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number | undefined): string => {
    const { line, col } = lines.linePos(offset ?? 0);
    return `${file}:${String(Math.max(1, line))}:${String(Math.max(1, col))}`;
  };
  const problems = [...document.errors, ...document.warnings].map((error) => ({
    where: at(error.pos[0]),
    message: syntaxSentence(error, text),
  }));
  if (problems.length === 0) {
    visit(document, {
      Scalar(key, node) {
        if (key === 'key' || typeof node.value !== 'string') return;
        const expanded = expandVariables(node.value, env);
        for (const message of expanded.problems)
          problems.push({ where: at(node.range?.[0]), message });
        node.value = expanded.value;
      },
    });
  }
  const data = problems.length === 0 ? plainData(document, problems, at) : undefined;
  return {
    data,
    problems,
    whereIs: (path, atKey) => {
      const offset = offsetOf(document, path, atKey);
      return { where: at(offset), offset };
    },
  };
}

function plainData(
  document: Document.Parsed,
  problems: LocatedProblem[],
  at: (offset: number | undefined) => string,
): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    problems.push({ where: at(document.range[0]), message: `too many aliases: ${error.message}` });
    return undefined;
  }
}

function syntaxSentence(error: YAMLError, text: string): string {
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^[^\s:]+/.exec(text.slice(error.pos[0]))?.[0].replace(/^["']|["']$/g, '') ?? '';
    return `${key}: the key is there twice`;
  }
  // `target: null:` reads as a mapping in a mapping.
  const line = text.split('\n')[text.slice(0, error.pos[0]).split('\n').length - 1] ?? '';
  if (error.code === 'BLOCK_AS_IMPLICIT_KEY' && /:\s+null:/.test(line)) {
    return 'null: needs quotes here; write "null:"';
  }
  if (/\w\[\d+-\d+\]/.test(line)) {
    return 'an address with a range needs quotes in a list written in [ ]; write "node[01-16]"';
  }
  return `not valid YAML or JSON: ${error.message.split('\n')[0] ?? error.message}`;
}

/** Offset of the deepest node on the way to `path`. */
function offsetOf(document: Document.Parsed, path: KeyPath, atKey: boolean): number | undefined {
  let node: ParsedNode | Node | null | undefined = document.contents;
  let offset = node?.range?.[0];
  for (const [depth, step] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document);
    if (!isCollection(node)) break;
    const last = depth === path.length - 1;
    const item: unknown = isMap(node)
      ? node.items.find((pair) => isScalar(pair.key) && String(pair.key.value) === String(step))
      : node.items[Number(step)];
    if (item === undefined) break;
    const key = isPair(item) ? (item.key as Node) : undefined;
    const value = (isPair(item) ? item.value : item) as Node | null;
    offset = (last && atKey ? key?.range?.[0] : value?.range?.[0]) ?? key?.range?.[0] ?? offset;
    node = value;
  }
  return offset;
}
