import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { agentStates } from '../../../src/shared/model/agent-state.js';
import { commandTable, commands } from '../../../src/agent/core/command-table.js';

const page = readFileSync(new URL('../../../../docs/agent-states.md', import.meta.url), 'utf8');

const words = { carryOut: 'does it', duplicate: 'duplicate', ignore: 'ignored' } as const;

function row(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |\n`;
}

function tableOf(): string {
  const rows = agentStates.map((state) =>
    row([state, ...commands.map((command) => words[commandTable[state][command]])]),
  );
  const header = ['state', ...commands];
  return row(header) + row(header.map(() => '---')) + rows.join('');
}

test('[RUN-13] the table of docs/agent-states.md is the one that is executed', () => {
  const shown = /<!-- command-table -->\n\n?([^]*?)<!-- \/command-table -->/.exec(page)?.[1];
  const withoutPadding = (text: string): string => text.replace(/ +/g, ' ').replace(/-+/g, '---');
  assert.equal(withoutPadding(shown ?? ''), tableOf(), `paste this:\n${tableOf()}`);
});

test('every state is in the diagram', () => {
  for (const state of agentStates) assert.match(page, new RegExp(`--> ${state}|${state} -->`));
});
