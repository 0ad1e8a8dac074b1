/** docs/config.md: every key with meaning, unit, default and bounds, from the schema. Formatted as prettier would. */
import { configKeys } from './walk.js';
import type { ConfigKey } from './walk.js';

const head = `# The config file

YAML 1.2 or JSON. Made from the schema by \`npm run docs:config\`; a test fails when it is out of date.

- Sizes: \`4KiB\`, \`1MB\`, \`1.5GiB\` or plain bytes. KB is 1000, KiB is 1024.
- Durations: \`500ms\`, \`60s\`, \`5m\`, \`1h\`, \`1m30s\`. The unit is needed; a blank may stand before it, as in sizes.
- Counts: \`64\`, \`1e6\`, \`1_000_000\`.
- \`\${NAME}\` in a value stands for an environment variable of the controller, which must be set; \`$\${\` for a plain \`\${\`.
- An unknown key, a key given twice, and anything that looks like a secret are errors. All errors are reported at once,
  with file, line and column.
- \`--set stages.0.threads=16\` changes any key for one run, under the same checks.
- \`bench-controller validate\` prints the resolved plan, \`bench-controller schema\` the JSON Schema for editors, and
  \`bench-controller init\` writes an example. More are in [examples](examples/).

A section such as \`dataset\` is a mapping; \`agents[]\` and \`stages[]\` are the entries of a list.
`;

const columns = ['Key', 'Meaning', 'Unit', 'Default', 'Allowed'] as const;

export function configReference(): string {
  const sections = new Map<string, string[][]>();
  const keys = configKeys();
  for (const key of keys) {
    if (key.section && key.meta.description === undefined) continue;
    const title = sectionOf(key);
    sections.set(title, [...(sections.get(title) ?? []), row(key)]);
  }
  const tables = [...sections].map(
    ([title, rows]) => `## ${title === '' ? 'The run' : `\`${title}\``}\n\n${table(rows)}`,
  );
  return `${head}\n${tables.join('\n')}`;
}

/** `dataset.directories.width` → `dataset`. */
function sectionOf({ name }: ConfigKey): string {
  return name.includes('.') ? (name.split('.')[0] ?? '') : '';
}

function row({ name, meta, required, fallback }: ConfigKey): string[] {
  return [
    `\`${name}\``,
    meta.description ?? '',
    meta.unit ?? '',
    required ? '**needed**' : (meta.fallback ?? printFallback(fallback)),
    meta.bounds ?? '',
  ];
}

function printFallback(value: unknown): string {
  if (Array.isArray(value) && value.length > 0) return `\`[${value.join(', ')}]\``;
  const plain = ['string', 'number', 'boolean'].includes(typeof value);
  return plain ? `\`${JSON.stringify(value).replaceAll('"', '')}\`` : 'none';
}

function table(rows: readonly (readonly string[])[]): string {
  const cells = [columns, ...rows].map((line) => line.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  const print = (line: readonly string[]): string =>
    `| ${line.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |\n`;
  const rule = widths.map((width) => '-'.repeat(width));
  const [header, ...body] = cells;
  return [header ?? [], rule, ...body].map(print).join('');
}
