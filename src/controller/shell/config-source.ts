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
  /** Plain data, as far as it can be known; undefined when the syntax leaves none. */
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
  const problems: LocatedProblem[] = [];
  let isReadable = true;
  for (const error of [...document.errors, ...document.warnings]) {
    const [offset] = error.pos;
    const message = syntaxSentence(error, text, lines.linePos(offset).line);
    // One slip often breaks the same line several times.
    if (problems.at(-1)?.message !== message) problems.push({ where: at(offset), offset, message });
    isReadable &&= error.code === 'DUPLICATE_KEY';
  }
  // What follows an unquoted variable is read as something else to the end of the file.
  const slip = problems.findIndex(({ message }) => message === unquotedVariable);
  if (slip >= 0) problems.splice(slip + 1);
  if (isReadable) {
    visit(document, {
      Alias(_key, node, path) {
        const meant = node.resolve(document);
        if (meant !== undefined && !path.includes(meant)) return;
        const why =
          meant === undefined
            ? `stands for nothing: there is no &${node.source} before it`
            : `is inside of &${node.source}, which it stands for`;
        const message = `*${node.source} ${why}`;
        problems.push({ where: at(node.range?.[0]), offset: node.range?.[0], message });
        isReadable = false;
      },
      Pair(_key, { key }) {
        if (!isCollection(key)) return;
        const offset = key.range?.[0];
        problems.push({ where: at(offset), offset, message: unquotedBrackets });
        isReadable = false;
      },
      Scalar(key, node) {
        if (key === 'key' || typeof node.value !== 'string') return;
        const expanded = expandVariables(node.value, env);
        for (const message of expanded.problems)
          problems.push({ where: at(node.range?.[0]), offset: node.range?.[0], message });
        node.value = expanded.value;
      },
    });
  }
  const data = isReadable ? plainData(document, problems, at) : undefined;
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

const unquotedVariable = `a variable needs quotes in a mapping written in { }; write "\${NAME}"`;

const unquotedBrackets =
  'text in [ ] or { } needs quotes to be a key or an address; write "[::1]:7761"';

/** Slips that are easily made, by the line they are in. */
const slips: readonly (readonly [RegExp, string])[] = [
  [/:\s+null:/, 'null: needs quotes here; write "null:"'],
  [/\w\[\d[\d,-]*\]/, 'a range needs quotes in a list written in [ ]; write "node[01-16]"'],
  [/[[{,:]\s*\$\{/, unquotedVariable],
  [/(?:^|[\s,[])\[[\da-f:.]+\]:\d/i, unquotedBrackets],
];

/** In place of the library's own. */
const sentences: Partial<Record<YAMLError['code'], string>> = {
  MULTIPLE_DOCS: 'a config is one document; there are more documents from this line on',
};

/** What leads to an error that does not say it. */
const likely: Partial<Record<YAMLError['code'], string>> = {
  BLOCK_IN_FLOW: 'is a comma missing?',
  MULTILINE_IMPLICIT_KEY: 'is the blank after a colon missing?',
};

function syntaxSentence(error: YAMLError, text: string, lineNumber: number): string {
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^[^\s:]+/.exec(text.slice(error.pos[0]))?.[0].replaceAll(/["']/g, '') ?? '';
    return `${key}: the key is there twice`;
  }
  const line = text.split('\n')[lineNumber - 1] ?? '';
  const slip = slips.find(([pattern]) => pattern.test(line))?.[1] ?? sentences[error.code];
  if (slip !== undefined) return slip;
  const missing = likely[error.code];
  const what = error.message.split('\n')[0] ?? error.message;
  return `not valid YAML or JSON: ${what}${missing === undefined ? '' : ` (${missing})`}`;
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
      ? node.items.findLast((pair) => isScalar(pair.key) && String(pair.key.value) === String(step))
      : node.items[Number(step)];
    if (item === undefined) break;
    const key = isPair(item) ? (item.key as Node) : undefined;
    const value = (isPair(item) ? item.value : item) as Node | null;
    offset = (last && atKey ? key?.range?.[0] : value?.range?.[0]) ?? key?.range?.[0] ?? offset;
    node = value;
  }
  return offset;
}
