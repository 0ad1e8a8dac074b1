import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Aggregate } from '../../../src/controller/core/aggregate.js';
import { Manifest } from '../../../src/controller/core/manifest.js';
import { generatorsCsv } from '../../../src/controller/shell/generators-csv.js';
import { intervalsCsv } from '../../../src/controller/shell/intervals-csv.js';
import { ProgressJson } from '../../../src/controller/view/progress-json.js';
import { sampleRun } from '../../support/recorded-run.js';
import { agentStatus, snapshotOf } from '../../support/snapshots.js';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/results.md'), 'utf8');

/** Keys of an object and of what is in it; those of `open` objects are data, not fields. */
function fieldsOf(
  value: unknown,
  open: ReadonlySet<string>,
  found = new Set<string>(),
): Set<string> {
  if (Array.isArray(value)) {
    for (const one of value) fieldsOf(one, open, found);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      found.add(key);
      const named = open.has(key) && !Array.isArray(inner);
      fieldsOf(named ? Object.values(inner as object) : inner, open, found);
    }
  }
  return found;
}

function assertDocumented(fields: Iterable<string>): void {
  const missing = [...fields].filter((field) => !page.includes(`\`${field}\``));
  assert.deepEqual(missing, [], 'not in docs/results.md');
}

/** Names in the first columns of the tables of a chapter. */
function documentedIn(...chapters: readonly string[]): readonly string[] {
  return chapters.flatMap((title) => {
    const [, text = ''] = page.split(new RegExp(`^##+ ${title}$`, 'mu'));
    const [chapter = ''] = text.split(/^##+ /mu);
    const rows = [...chapter.matchAll(/^\| (.*?) +\|/gmu)];
    const names = rows.flatMap(([, column = '']) => [...column.matchAll(/`(\w+)`/gu)]);
    assert.ok(names.length > 0, title);
    return names.map(([, name = '']) => name);
  });
}

/** In both directions. */
function assertSame(fields: ReadonlySet<string>, ...chapters: readonly string[]): void {
  assertDocumented(fields);
  const gone = documentedIn(...chapters).filter((name) => !fields.has(name));
  assert.deepEqual(gone, [], 'in docs/results.md, but in no result');
}

const records = sampleRun();
const aggregate = new Aggregate();
const manifest = new Manifest();
for (const record of records) {
  aggregate.accept(record);
  manifest.accept(record);
}

test('[RES-01] docs/results.md names every field of summary.json, and no other', () => {
  const fields = fieldsOf(aggregate.summary(), new Set(['operations', 'agents', 'error_codes']));
  assert.ok(fields.size > 60);
  fields.delete('EIO');
  const chapters = ['A stage', 'An operation', 'An agent in a stage', 'measurement'];
  assertSame(fields, 'summary.json', ...chapters);
});

test('[RES-01] docs/results.md names every field of run.json, and no other', () => {
  const { plan, agents, versions, ...rest } = JSON.parse(manifest.toJson()) as {
    plan: unknown;
    agents: { host: unknown }[];
    versions: unknown;
  };
  assert.ok(plan !== undefined && versions !== undefined);
  const withoutHosts = agents.map((agent) => ({ ...agent, host: null }));
  const tables = new Set(['sent', 'received', 'dropped']);
  const shown = { ...rest, plan: null, versions: null, agents: withoutHosts };
  assertSame(fieldsOf(shown, tables), 'run.json', 'link_metrics');
});

test('[RES-01] docs/results.md names every column of intervals.csv, and no other', () => {
  const [header = ''] = intervalsCsv(aggregate);
  assertSame(new Set(header.trim().split(',')), 'intervals.csv');
});

test('[RES-01] docs/results.md names every column of generators.csv, and no other', () => {
  const [header = '', first = ''] = generatorsCsv(aggregate);
  assertSame(new Set(header.trim().split(',')), 'generators.csv');
  assert.equal(first.trim().split('\n').length, 5, 'a row per second');
});

test('[RES-01] docs/results.md names every type of journal record', () => {
  const types = new Set(records.map(({ type }) => type));
  assertDocumented([...types, 'decision', 'notice']);
});

test('[RUN-25] docs/results.md names every field of the NDJSON progress', () => {
  let text = '';
  const view = new ProgressJson(
    (line) => (text += line),
    () => undefined,
    false,
  );
  view.update(snapshotOf([agentStatus(0)]));
  assertDocumented(fieldsOf(JSON.parse(text), new Set()));
});
