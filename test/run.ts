// Runs test suites in one go: `node dist/test/run.js unit simulation`, or paths of test files.
// The last line is `N passed, N failed`; the exit code is 0 only when tests ran and all of them passed.
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runTestFile, type FileResult } from './run-test-file.js';
import { longestTurnMs, readTurns, turnsFile } from './support/turns.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'timeout-s': { type: 'string', default: '600' } },
});
const fileTimeoutMs = Number(values['timeout-s']) * 1000;
// Those that compare speeds get the machine for themselves. Of all others, as many run side by side as keep two cores busy:
// most of them wait most of the time.
const alone =
  /\/(kernel-counts|performance-ratio|performance-rows|system-calls|warm-up)\.test\.js$/;
const lanes = Math.max(3, availableParallelism());

const compiled = import.meta.dirname;
const sources = path.resolve(compiled, '../../test');

let passed = 0;
const failures: string[] = [];
const skips: string[] = [];

// Found by its sources: a compiled test whose source is gone must not run.
function suiteFiles(suite: string): string[] {
  const folder = path.join(sources, suite);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .sort()
    .map((file) => compiledFile(path.join(folder, file)));
}

function compiledFile(file: string): string {
  const absolute = path.resolve(file);
  if (!absolute.endsWith('.ts')) return absolute;
  return path.join(compiled, path.relative(sources, absolute)).replace(/ts$/, 'js');
}

function readable(file: string): string {
  return path.relative(file.startsWith(compiled) ? compiled : process.cwd(), file);
}

function indent(text: string): string {
  return text.trimEnd().replace(/^(?=.)/gm, '    ');
}

async function runFiles(files: readonly string[], atOnce: number): Promise<void> {
  const waiting = [...files];
  const lane = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      if (existsSync(file)) report(file, await runTestFile(file, fileTimeoutMs));
      else failures.push(`✖ ${readable(file)}\n    It is not compiled: run \`npm run build\`.`);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

function report(file: string, result: FileResult): void {
  const failed = result.failures.length === 0 ? '' : `, ${result.failures.length} FAILED`;
  const seconds = (result.durationMs / 1000).toFixed(1);
  console.log(`  ${readable(file)}: ${result.passed} passed${failed}, ${seconds} s`);
  for (const note of result.notes) console.log(indent(note));

  passed += result.passed;
  skips.push(...result.skips.map((skip) => `${readable(file)}: ${skip}`));
  for (const [index, { title, detail }] of result.failures.entries()) {
    const printed = index === 0 && result.output !== '' ? `\nprinted:\n${result.output}` : '';
    failures.push(`✖ ${readable(file)}: ${title}\n${indent(detail + printed)}`);
  }
}

// [RPC-04] Of the programs that tests start, whatever they test.
const turnsFolder = mkdtempSync(path.join(tmpdir(), 'muster-turns-'));
const turns = path.join(turnsFolder, 'turns');
process.env[turnsFile] = turns;

const isFile = (name: string): boolean => /\.[jt]s$/.test(name);
const suites = positionals.filter((name) => !isFile(name));
const filesOf = (names: readonly string[]): string[] =>
  names.flatMap((name) => {
    const files = suiteFiles(name);
    if (files.length === 0) failures.push(`✖ ${name}\n    There are no tests in this suite.`);
    return files;
  });
const found = filesOf(suites);
await runFiles(
  found.filter((file) => !alone.test(file)),
  lanes,
);
await runFiles(
  found.filter((file) => alone.test(file)),
  1,
);
await runFiles(positionals.filter(isFile).map(compiledFile), 1);

const noted = readTurns(turns);
rmSync(turnsFolder, { recursive: true });
for (const { program, argv, longestMs } of noted) {
  if (longestMs <= longestTurnMs) continue;
  const took = `${longestMs.toFixed(0)} ms of CPU time, more than ${String(longestTurnMs)} ms`;
  failures.push(`✖ a turn of a control loop took ${took}\n    ${program} ${argv.join(' ')}`);
}

if (passed + failures.length === 0) failures.push('✖ No test ran.');
for (const failure of failures) console.log(`\n${failure}`);
if (skips.length > 0) console.log(`\nleft out:\n${indent(skips.join('\n'))}`);
if (noted.length > 0) {
  const longest = Math.max(...noted.map(({ longestMs }) => longestMs));
  console.log(`\nlongest turn of ${String(noted.length)} control loops: ${longest.toFixed(0)} ms`);
}
const skipped = skips.length === 0 ? '' : `, ${skips.length} skipped`;
console.log(`\n${passed} passed, ${failures.length} failed${skipped}`);
process.exitCode = failures.length === 0 ? 0 : 1;
