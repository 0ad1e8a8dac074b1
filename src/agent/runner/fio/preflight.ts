import { spawn } from 'node:child_process';
import { codeOf, reasonOf } from '../../../shared/kernel/errors.js';
import type { Assignment } from '../../../shared/model/assignment.js';
import { engineOf } from '../../../shared/model/fio-options.js';
import { RunnerFailure } from '../failure.js';
import { fioJob } from './job-file.js';
import { fioDataset, fioOpenProblem } from './open-files.js';

/** The oldest whose json+ output and options are relied on here. */
const oldest = [3, 20] as const;

/** `fio-3.33`. @throws RunnerFailure when there is none, or an older one than can be used */
export async function fioVersion(): Promise<string> {
  const { output } = await ask('fio', ['--version']);
  const [, major, minor] = /^fio-(\d+)\.(\d+)/.exec(output) ?? [];
  if (major === undefined || minor === undefined) {
    throw new RunnerFailure('target', `fio --version says "${output}": no version of fio`);
  }
  const [leastMajor, leastMinor] = oldest;
  const enough = Number(major) > leastMajor || Number(minor) >= leastMinor;
  if (Number(major) < leastMajor || !enough) {
    const least = oldest.map(String).join('.');
    throw new RunnerFailure('target', `fio ${major}.${minor} is too old: ${least} or later`);
  }
  return `fio-${major}.${minor}`;
}

/** This host's fio knows the engines and options of the stages that want it. @throws RunnerFailure with the first that it does not */
export async function checkFio({ stages, dataset, seed }: Assignment): Promise<void> {
  const wanting = stages.filter(({ fio }) => fio !== undefined);
  if (wanting.length === 0) return;
  await fioVersion();
  await ask('setpriv', ['--version']);
  const known = (await ask('fio', ['--enghelp'])).output.split(/\s+/);
  for (const stage of wanting) {
    const refuse = (why: string): RunnerFailure =>
      new RunnerFailure('config', `stage "${stage.name}": fio refuses it: ${why}`);
    const engine = engineOf(stage.fio);
    if (!known.includes(engine)) throw refuse(`it has no ioengine ${engine}`);
    const files = fioDataset(stage, dataset);
    const unopened = fioOpenProblem(stage, files);
    if (unopened !== undefined)
      throw new RunnerFailure('config', `stage "${stage.name}": ${unopened}`);
    const { text } = fioJob(stage, files, seed);
    const parsed = await ask('fio', ['--parse-only', '-'], text);
    if (parsed.code !== 0) throw refuse(parsed.output.split('\n')[0] ?? 'no reason given');
  }
}

interface Answer {
  readonly code: number | null;
  /** Both outputs, without the space around. */
  readonly output: string;
}

/** Runs a program that ends by itself at once. @throws RunnerFailure when it is not there */
function ask(program: string, argv: readonly string[], input = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, argv, { stdio: 'pipe' });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    child.on('error', (error) => {
      const why = codeOf(error) === 'ENOENT' ? `it has no ${program}` : reasonOf(error);
      const package_ = program === 'fio' ? 'fio' : 'util-linux';
      const message = `this host cannot run stages with fio: ${why}; install the package ${package_}`;
      reject(new RunnerFailure('target', message));
    });
    child.on('close', (code) => {
      resolve({ code, output: output.trim() });
    });
    // A program that ends without reading is judged by its code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}
