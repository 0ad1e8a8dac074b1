// Runs test suites in one go: `node dist/test/run.js unit simulation`, or paths of test files.
// The last line is `N passed, N failed`; the exit code is 0 only when tests ran and all of them passed.
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { run, type EventData } from 'node:test';
import { inspect, parseArgs } from 'node:util';

interface FailureInfo {
  cause: unknown;
  exitCode?: number | null;
  signal?: string | null;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'timeout-s': { type: 'string', default: '300' } },
});
const fileTimeoutMs = Number(values['timeout-s']) * 1000;
// Other suites start processes of their own: they get the machine one file at a time.
const suitesSideBySide = ['unit', 'simulation'];

const compiled = import.meta.dirname;
const sources = path.resolve(compiled, '../../test');

let passed = 0;
const failures: string[] = [];
const skips: string[] = [];
const failedOutput: string[] = [];

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

function fail(title: string, detail: string): void {
  failures.push(`✖ ${title}\n${detail.trim().replace(/^(?=.)/gm, '    ')}`);
}

function describe(error: EventData.Error): string {
  const { cause, exitCode, signal }: FailureInfo = { ...error, cause: error.cause };
  if (typeof cause !== 'string') return inspect(cause, { depth: 10 });
  // A file that failed outside its tests: all there is to say is how its process ended.
  const end = signal ?? exitCode;
  return end === undefined || end === null
    ? cause
    : `${cause} (process ended with ${inspect(end)})`;
}

function failedByChildren(error: EventData.Error): boolean {
  return 'failureType' in error && error.failureType === 'subtestsFailed';
}

async function runFiles(files: string[], concurrency: number): Promise<void> {
  const failuresBefore = failures.length;
  const failedFiles: string[] = [];
  const output = new Map<string, string>();
  const unfinished = new Map<string, Set<string>>();
  // Results come file by file, children first: these two hold the way down to the current test.
  const titles: string[] = [];
  const finishedAt: number[] = [];

  const stream = run({ files, concurrency, timeout: fileTimeoutMs });

  const keepOutput = ({ file, message }: EventData.TestStdout): void => {
    output.set(file, (output.get(file) ?? '') + message);
  };
  stream.on('test:stdout', keepOutput);
  stream.on('test:stderr', keepOutput);

  stream.on('test:dequeue', ({ name, file = '' }) => {
    unfinished.set(file, (unfinished.get(file) ?? new Set()).add(name));
  });
  stream.on('test:complete', ({ name, file = '', details }) => {
    unfinished.get(file)?.delete(name);
    if (!files.includes(name)) return;
    if (!details.passed) failedFiles.push(name);
    const seconds = (details.duration_ms / 1000).toFixed(1);
    console.log(`  ${readable(name)}  ${seconds} s${details.passed ? '' : '  FAILED'}`);
  });

  stream.on('test:start', ({ name, nesting }) => {
    titles.length = nesting;
    titles.push(name);
  });
  stream.on('test:diagnostic', ({ message, file }) => {
    if (file !== undefined) console.log(`    ${titles.join(' › ')}: ${message}`);
  });
  stream.on('test:pass', (result) => {
    const isGroup = leave(result) || result.details.type === 'suite';
    if (files.includes(result.name)) fail(readable(result.name), 'There is no test in this file.');
    else if (!leftOut(result) && !isGroup) passed += 1;
  });
  stream.on('test:fail', (result) => {
    leave(result);
    const { name, file = '', line = 0, details } = result;
    if (files.includes(name)) {
      const open = [...(unfinished.get(name) ?? [])].map((test) => `\nnot finished: ${test}`);
      fail(readable(name), describe(details.error) + open.join(''));
    } else if (!leftOut(result) && !failedByChildren(details.error)) {
      fail(titles.join(' › '), `${readable(file)}:${line}\n${describe(details.error)}`);
    }
  });

  /** Ends the test at this nesting, and says whether others ran inside it. */
  function leave({ name, nesting }: EventData.TestPass | EventData.TestFail): boolean {
    const hadChildren = (finishedAt[nesting + 1] ?? 0) > 0;
    finishedAt.length = nesting + 1;
    finishedAt[nesting] = (finishedAt[nesting] ?? 0) + 1;
    titles.length = nesting;
    titles.push(name);
    return hadChildren;
  }

  function leftOut({ skip, todo }: EventData.TestPass | EventData.TestFail): boolean {
    const reason = skip ?? todo;
    if (reason === undefined) return false;
    const why = typeof reason === 'string' ? reason : 'no reason given';
    skips.push(`${titles.join(' › ')}: ${why}`);
    return true;
  }

  stream.resume();
  await once(stream, 'end');

  if (failedFiles.length > 0 && failures.length === failuresBefore) {
    fail(failedFiles.map(readable).join(', '), 'Failed, and no test said why.');
  }
  for (const file of failedFiles) {
    const text = output.get(file);
    if (text !== undefined) failedOutput.push(`── printed by ${readable(file)}\n${text.trimEnd()}`);
  }
}

async function runSuite(name: string, files: string[]): Promise<void> {
  console.log(`\n${name}`);
  if (files.length === 0) fail(name, 'There are no tests in this suite.');
  const missing = files.filter((file) => !existsSync(file));
  for (const file of missing) fail(readable(file), 'It is not compiled: run `npm run build`.');
  if (files.length === 0 || missing.length > 0) return;
  await runFiles(files, suitesSideBySide.includes(name) ? 2 : 1);
}

// Inside a node:test file, run() would find this and run nothing.
delete process.env['NODE_TEST_CONTEXT'];
const isFile = (name: string): boolean => /\.[jt]s$/.test(name);
for (const suite of positionals.filter((name) => !isFile(name))) {
  await runSuite(suite, suiteFiles(suite));
}
const files = positionals.filter(isFile).map(compiledFile);
if (files.length > 0) await runSuite('files', files);

if (passed + failures.length === 0) fail('nothing', 'No test ran.');
for (const text of [...failedOutput, ...failures]) console.log(`\n${text}`);
if (skips.length > 0) console.log(`\nleft out:\n${skips.map((skip) => `  ${skip}`).join('\n')}`);
const skipped = skips.length > 0 ? `, ${skips.length} skipped` : '';
console.log(`\n${passed} passed, ${failures.length} failed${skipped}`);
process.exitCode = failures.length === 0 ? 0 : 1;
