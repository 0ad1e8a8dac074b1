import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

// Time has one door: `Clock` (src/shared/kernel). Code that takes a clock can be tested on a manual
// one, in milliseconds; code that reaches for a timer cannot. The runner's hot loop is the exception.
const useClock =
  'Take a Clock (src/shared/kernel) instead: only system-clock.ts touches real time.';
const noSleep = 'Do not sleep in a test: wait for the event, or use what test/support offers.';
const useStep = 'A core decides from its input alone, so that a seed replays it: pass this in.';

const timerGlobals = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
];
const clockGlobals = ['Date', 'performance'];
const timerModules = ['timers', 'timers/promises', 'node:timers', 'node:timers/promises'];
const clockModules = ['perf_hooks', 'node:perf_hooks'];

const globals = (names, message) => names.map((name) => ({ name, message }));
const hidden = (names, message) =>
  names.map((property) => ({ object: 'globalThis', property, message }));

const noTimers = (message) => ({
  'no-restricted-globals': ['error', ...globals(timerGlobals, message)],
  'no-restricted-properties': ['error', ...hidden(timerGlobals, message)],
  'no-restricted-imports': ['error', { paths: globals(timerModules, message) }],
});

const signals = [
  {
    object: 'AbortSignal',
    property: 'timeout',
    message: useClock,
  },
  {
    object: 'AbortSignal',
    property: 'any',
    message: 'It leaks on a long-lived signal (Node 20). Use one signal per phase.',
  },
];

const noClock = {
  'no-restricted-globals': ['error', ...globals([...timerGlobals, ...clockGlobals], useClock)],
  'no-restricted-properties': [
    'error',
    ...hidden([...timerGlobals, ...clockGlobals], useClock),
    { object: 'process', property: 'hrtime', message: useClock },
    ...signals,
  ],
  'no-restricted-imports': [
    'error',
    { paths: globals([...timerModules, ...clockModules], useClock) },
  ],
};

const noOutsideWorld = {
  'no-restricted-globals': [
    ...noClock['no-restricted-globals'],
    ...globals(['process', 'console', 'fetch', 'crypto'], useStep),
  ],
  'no-restricted-properties': [
    ...noClock['no-restricted-properties'],
    { object: 'Math', property: 'random', message: useStep },
  ],
};

export default defineConfig(
  globalIgnores(['dist/', 'coverage/', 'results/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      eqeqeq: 'error',
      'no-console': 'off',
      'no-template-curly-in-string': 'error',
      'no-unreachable-loop': 'error',
      'no-self-compare': 'error',
      'object-shorthand': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { allowDefaultCaseForExhaustiveSwitch: true, considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            {
              from: 'package',
              package: 'node:test',
              name: ['test', 'it', 'describe', 'suite', 'skip', 'todo', 'only'],
            },
          ],
        },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true, allowNever: true },
      ],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true },
      ],
      // An async function without await still turns a throw into a rejection: that is often the point.
      '@typescript-eslint/require-await': 'off',
      // `boolean | void` says "may return": a visitor need not answer.
      '@typescript-eslint/no-invalid-void-type': 'off',
    },
  },
  {
    files: ['src/**/*.ts'],
    // The null engine ends its operations at the next turn of the event loop.
    ignores: [
      'src/shared/kernel/system-clock.ts',
      'src/agent/runner/**',
      'src/agent/engines/null.ts',
      // It puts a wrong clock in the place of the right one.
      'src/controller/shell/rehearsal/shifted-clock.ts',
    ],
    rules: noClock,
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[callee.property.name="rmSync"]:not(:has(Property[key.name="recursive"]))',
          message:
            'Its errors have no code on Node 24: removeFile (src/agent/runner) or unlinkSync.',
        },
      ],
    },
  },
  {
    files: ['src/*/core/**/*.ts', 'src/shared/{kernel,model,metrics}/**/*.ts'],
    ignores: ['src/shared/kernel/system-clock.ts'],
    rules: noOutsideWorld,
  },
  {
    // Typed arrays indexed in a loop: the bound is proven there, a branch per access would cost.
    files: ['src/agent/runner/**/*.ts', 'src/agent/engines/**/*.ts', 'src/shared/metrics/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    ignores: ['test/support/**', 'test/run.ts'],
    rules: noTimers(noSleep),
  },
  {
    // A test reads parsed JSON and indexes what it has just built; a wrong guess there fails the test.
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
);
