import { once } from 'node:events';
import { run, type EventData } from 'node:test';
import { inspect } from 'node:util';

export interface FileResult {
  /** Tests with no test inside them: groups are not counted. */
  passed: number;
  failures: { title: string; detail: string }[];
  skips: string[];
  notes: string[];
  output: string;
  durationMs: number;
}

type ProcessError = Error & { exitCode?: number | null; signal?: string | null };
type Result = EventData.TestPass | EventData.TestFail;

/** Runs one compiled test file in a process of its own, and kills it when the time is over. */
export async function runTestFile(file: string, timeoutMs: number): Promise<FileResult> {
  const result: FileResult = {
    passed: 0,
    failures: [],
    skips: [],
    notes: [],
    output: '',
    durationMs: 0,
  };
  const unfinished = new Set<string>();
  // Children end before their parent: these two hold the way down to the current test.
  const titles: string[] = [];
  const endedAt: number[] = [];
  let failed = false as boolean;

  function enter(name: string, nesting: number): void {
    titles.length = nesting;
    titles.push(name);
  }

  function title(): string {
    return titles.join(' › ');
  }

  /** Whether this was a group of tests and not a test itself. */
  function leave({ name, nesting, details }: Result): boolean {
    enter(name, nesting);
    const hadChildren = (endedAt[nesting + 1] ?? 0) > 0;
    endedAt.length = nesting + 1;
    endedAt[nesting] = (endedAt[nesting] ?? 0) + 1;
    return hadChildren || details.type === 'suite';
  }

  function leftOut({ skip, todo }: Result): boolean {
    const reason = skip ?? todo;
    if (reason === undefined || reason === false) return false;
    result.skips.push(`${title()}: ${reason === true ? 'no reason given' : reason}`);
    return true;
  }

  // Under node:test itself, run() would take this for a test file that runs others, and run nothing.
  delete process.env['NODE_TEST_CONTEXT'];
  const stream = run({ files: [file], signal: AbortSignal.timeout(timeoutMs) });
  stream.on('test:dequeue', ({ name }) => unfinished.add(name));
  stream.on('test:start', ({ name, nesting }) => enter(name, nesting));
  stream.on('test:complete', ({ name, details }) => {
    unfinished.delete(name);
    if (name !== file) return;
    result.durationMs = details.duration_ms;
    failed = !details.passed;
  });
  stream.on('test:stdout', ({ message }) => (result.output += message));
  stream.on('test:stderr', ({ message }) => (result.output += message));
  stream.on('test:diagnostic', ({ message, file: from }) => {
    if (from !== undefined) result.notes.push(`${title()}: ${message}`);
  });
  stream.on('test:pass', (test) => {
    const isGroup = leave(test);
    // Node reports the file itself only when nothing in it was reported, or when it failed.
    if (test.name === file) result.failures.push({ title: 'no test', detail: 'It has no test.' });
    else if (!leftOut(test) && !isGroup) result.passed += 1;
  });
  stream.on('test:fail', (test) => {
    leave(test);
    const { error } = test.details;
    if (test.name === file) {
      const open = [...unfinished].map((name) => `\nnot finished: ${name}`).join('');
      result.failures.push({ title: 'the file itself', detail: endOfProcess(error) + open });
    } else if (!leftOut(test) && !onlyChildrenFailed(error)) {
      result.failures.push({ title: title(), detail: describe(error) });
    }
  });
  stream.resume();
  await once(stream, 'end');
  if (failed && result.failures.length === 0) {
    result.failures.push({ title: 'the file itself', detail: 'It failed, and no test said why.' });
  }
  return result;
}

function onlyChildrenFailed(error: EventData.Error): boolean {
  return 'failureType' in error && error.failureType === 'subtestsFailed';
}

function describe({ cause, message }: { cause?: unknown; message: string }): string {
  if (cause === undefined || cause === null) return message;
  return typeof cause === 'string' ? cause : inspect(cause, { depth: 10 });
}

function endOfProcess(error: ProcessError): string {
  const end = error.signal ?? error.exitCode ?? undefined;
  return describe(error) + (end === undefined ? '' : ` (the process ended with ${end})`);
}
