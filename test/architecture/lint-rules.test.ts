import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ESLint } from 'eslint';
import { repositoryRoot } from './check-imports.js';

// Without types: these rules need none, and the files they are asked about do not exist.
const eslint = new ESLint({
  cwd: repositoryRoot,
  ruleFilter: ({ ruleId }) => ruleId.startsWith('no-restricted-'),
  overrideConfig: {
    linterOptions: { reportUnusedDisableDirectives: 'off' },
    languageOptions: { parserOptions: { projectService: false } },
  },
});

async function isAllowed(code: string, filePath: string): Promise<boolean> {
  const [result] = (await eslint.lintText(code, { filePath })) as [ESLint.LintResult];
  assert.deepEqual(
    result.messages.filter(({ ruleId }) => ruleId === null),
    [],
    'it was not linted',
  );
  return result.errorCount === 0;
}

const core = 'src/agent/core/planted.ts';
const shell = 'src/controller/shell/planted.ts';
const systemClock = 'src/shared/kernel/system-clock.ts';
const hotLoop = 'src/agent/runner/planted.ts';
const aTest = 'test/unit/planted.test.ts';
const support = 'test/support/planted.ts';

const cases: { codes: string[]; allowedIn: string[]; refusedIn: string[] }[] = [
  {
    codes: [
      'setTimeout(() => {}, 1);',
      'clearTimeout(1);',
      'setImmediate(() => {});',
      'globalThis.setInterval(() => {}, 1);',
      `import { setTimeout as sleep } from 'node:timers/promises'; await sleep(1);`,
      `import * as timers from 'timers'; timers.setTimeout(() => {}, 1);`,
    ],
    allowedIn: [systemClock, hotLoop, support],
    refusedIn: [core, shell, aTest],
  },
  {
    codes: [
      'Date.now();',
      'new Date();',
      'performance.now();',
      'process.hrtime.bigint();',
      `import { monitorEventLoopDelay } from 'node:perf_hooks'; monitorEventLoopDelay();`,
      'AbortSignal.timeout(1);',
    ],
    allowedIn: [systemClock, hotLoop, support, aTest],
    refusedIn: [core, shell],
  },
  {
    codes: [`import fs from 'node:fs'; fs.rmSync('a', { force: true });`],
    allowedIn: [support, aTest],
    refusedIn: [core, shell, hotLoop],
  },
  {
    codes: [`import fs from 'node:fs'; fs.rmSync('a', { recursive: true, force: true });`],
    allowedIn: [shell, hotLoop, support, aTest],
    refusedIn: [],
  },
  {
    codes: ['process.exitCode = 1;', 'console.log(1);', 'Math.random();', 'await fetch("");'],
    allowedIn: [shell, hotLoop, support, aTest],
    refusedIn: [core, 'src/shared/model/planted.ts', 'src/shared/metrics/planted.ts'],
  },
];

describe('the lint rules', () => {
  for (const { codes, allowedIn, refusedIn } of cases) {
    for (const code of codes) {
      test(`say where this may stand: ${code}`, async () => {
        for (const file of allowedIn) assert.equal(await isAllowed(code, file), true, file);
        for (const file of refusedIn) assert.equal(await isAllowed(code, file), false, file);
      });
    }
  }
});
