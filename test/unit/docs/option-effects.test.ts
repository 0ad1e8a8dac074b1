import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { agentProgram } from '../../../src/agent/cli.js';
import { controllerProgram } from '../../../src/controller/cli.js';
import type { CommandIo } from '../../../src/controller/commands/command-io.js';
import { configKeys } from '../../../src/shared/model/config/walk.js';
import { flagEffects } from '../../support/flag-effects.js';
import { optionEffects } from '../../support/option-effects.js';

const folder = new URL('../../../../test/', import.meta.url);

/** What `npm test` runs: a test that somebody has to think of does not count. */
const suites = /^(?:unit|integration|simulation|faults|cli)\//;

/** Titles as they stand in the source. Of those with values in them, the parts between. */
function titlesIn(source: string): { readonly whole: Set<string>; readonly parts: string[] } {
  const found = [...source.matchAll(/\b(?:test|it)\(\s*(?:'([^'\n]+)'|`([^`]+)`)/g)];
  return {
    whole: new Set(found.flatMap(([, title]) => title ?? [])),
    parts: found.flatMap(([, , template]) => template?.split(/\$\{[^}]*\}/) ?? []),
  };
}

test('[CONF-03] the table has every key of the config that means something, and no other', () => {
  // Those without a description only hold others.
  const keys = configKeys().filter(({ section, meta }) => !section || meta.description);
  assert.ok(keys.length > 90, 'hardly any key was found');
  assert.deepEqual(Object.keys(optionEffects).sort(), keys.map(({ name }) => name).sort());
});

test('[CLI-01] the other table has every command and flag of the two programs, and no other', () => {
  const io = { ...({} as CommandIo), stdout: { write: () => true }, stderr: { write: () => true } };
  const { commands } = controllerProgram(io);
  const agent = agentProgram('', () => Promise.resolve());
  const found = [...commands, agent].map((command): [string, string[]] => [
    command === agent ? '' : command.name(),
    command.options.map(({ long }) => long ?? '').filter((long) => long !== '--version'),
  ]);
  const listed = Object.entries(flagEffects).map(([name, flags]) => [name, Object.keys(flags)]);
  const sorted = (rows: readonly (readonly [string, readonly string[]])[]) =>
    rows.map(([name, flags]) => [name, ...flags.toSorted()].join(' ')).sort();
  assert.deepEqual(sorted(listed as [string, string[]][]), sorted(found));
});

const rows = [
  ...Object.entries(optionEffects).map(([key, row]) => [`[CONF-03] ${key}`, row] as const),
  ...Object.entries(flagEffects).flatMap(([command, flags]) =>
    Object.entries(flags).map(([flag, row]) => [`[CLI-01] ${command} ${flag}`, row] as const),
  ),
];

for (const [key, row] of rows) {
  test(`${key}: the test that fails when it is ignored is there`, () => {
    const [file = '', title = ''] = row.split(/: (.*)/s);
    assert.match(file, suites);
    const path = new URL(file, folder);
    assert.ok(existsSync(path), `there is no test/${file}`);
    const { whole, parts } = titlesIn(readFileSync(path, 'utf8'));
    const isPart = title.length > 20 && parts.some((part) => part.includes(title));
    assert.ok(whole.has(title) || isPart, `test/${file} has no test "${title}"`);
  });
}
