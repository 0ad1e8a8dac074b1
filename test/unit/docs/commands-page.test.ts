import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { agentProgram } from '../../../src/agent/cli.js';
import { controllerProgram } from '../../../src/controller/cli.js';
import type { CommandIo } from '../../../src/controller/commands/command-io.js';

const page = readFileSync(join(import.meta.dirname, '../../../../docs/commands.md'), 'utf8');
const [, controllerPart = '', agentPart = ''] = page.split(/^## bench-/m);

const { commands } = controllerProgram({
  ...({} as CommandIo),
  stdout: { write: () => true },
  stderr: { write: () => true },
});

/** As they are written on the page: the long form, and what follows it. */
function flagsOf(command: Command): readonly string[] {
  return command.options
    .map(({ flags }) => flags.replace(/^-\w, /, ''))
    .filter((flags) => flags !== '--version');
}

test('[CLI-01] docs/commands.md has every command with its arguments, and no other', () => {
  const shown = [...controllerPart.matchAll(/^\| `([a-z]+[^`-]*)` \|/gm)].map(([, text]) => text);
  const usage = commands.map((command) => {
    const its = command.registeredArguments.map((argument) => {
      const name = argument.name() + (argument.variadic ? '…' : '');
      return argument.required ? `<${name}>` : `[${name}]`;
    });
    return [command.name(), ...its].join(' ');
  });
  assert.deepEqual(shown.sort(), usage.sort());
});

test('[CLI-01] docs/commands.md has every flag of every command, and no other', () => {
  const rows = controllerPart.matchAll(/^\| `(--[^`]+)` \| ([a-z, ]+) \|/gm);
  const shown = [...rows].flatMap(([, flags = '', of = '']) =>
    of.split(', ').map((command) => `${command} ${flags}`),
  );
  const found = commands.flatMap((command) =>
    flagsOf(command).map((flags) => `${command.name()} ${flags}`),
  );
  assert.deepEqual(shown.sort(), found.sort());
});

test('[CLI-01] docs/commands.md has every flag of bench-agent, and no other', () => {
  const shown = [...agentPart.matchAll(/^\| `(--[^`]+)` \|/gm)].map(([, flags = '']) => flags);
  const found = flagsOf(agentProgram('', () => Promise.resolve()));
  assert.deepEqual(shown.sort(), [...found].sort());
});
