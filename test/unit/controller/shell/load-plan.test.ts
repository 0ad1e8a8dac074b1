import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadPlanFile } from '../../../../src/controller/shell/load-plan.js';
import { PlanError } from '../../../../src/controller/shell/plan-error.js';
import { MusterError } from '../../../../src/shared/kernel/errors.js';
import { planOf, problemsOf, smallConfig } from '../../../support/example-plan.js';

test('[CONF-01] an unknown key is an error with file, line, column and the key that was meant', () => {
  const text = smallConfig.replace('duration', 'treads: 4, duration');
  assert.deepEqual(problemsOf(text), [
    'test.yaml:5:53: stages[0].treads: unknown key; did you mean "threads"?',
  ]);
});

test('[CONF-01] at every level, and when nothing is near the keys there are', () => {
  const text = `${smallConfig}
sead: 1
timeouts: { conect: 1s, colour: 2s }
agents: ['a', { address: b, treads: 2 }]
dataset: {}
`.replace(/^dataset: \{ files.*\n/m, '');
  const found = problemsOf(text, { sets: ['dataset.files=8', 'dataset.directories.widht=3'] });
  assert.deepEqual(
    found.map((line) => line.replace(/^.*?: /, '').slice(0, 60)),
    [
      'sead: unknown key; did you mean "seed"?',
      'timeouts.conect: unknown key; did you mean "connect"?',
      'timeouts.colour: unknown key; known here: connect, hello, pr',
      'agents[1].treads: unknown key; did you mean "threads"?',
      'dataset.directories.widht: unknown key; did you mean "width"',
    ],
  );
});

test('[CONF-02] all errors come at once, in the order of the file, those of values and those of sense', () => {
  const text = `
target: /etc/bench
seed: -1
dataset: { files: 2, file_size: 4K }
stages:
  - { name: a, mix: raed, duration: 60 }
  - { name: b, mix: read, block_size: 4KiB }
  - { name: b, mix: stat, duration: 5s, threads: 2000 }
expect: [c.errors == 0, nonsense]
`;
  assert.deepEqual(
    problemsOf(text, { sets: ['limits.concurrency=0'] }).map((line) => line.slice(0, 75)),
    [
      'test.yaml:2:9: target: /etc/bench is in /etc, which is never a target; name',
      'test.yaml:3:7: seed: -1 is not a count; write it like 64, 1e6 or 1_000_000',
      'test.yaml:4:33: dataset.file_size: "4K" is ambiguous; write KB (powers of 1',
      'test.yaml:6:21: stages[0].mix: "raed" is not an operation; did you mean "re',
      'test.yaml:6:37: stages[0].duration: 60 has no unit; write 60s or 60ms',
      'test.yaml:7:5: stages[1]: has no limit and would never end; give duration, ',
      'test.yaml:8:13: stages[2].name: "b" is the name of stages[1] already',
      'test.yaml:8:50: stages[2].threads: Concurrency too high (limit: 1024): 2000 threads; there can be 256',
      'test.yaml:9:25: expect[1]: "nonsense" is not a threshold; write it like ran',
      '--set limits.concurrency=0: limits.concurrency: 0 is too little; at least 1',
    ].map((line) => line.slice(0, 75)),
  );
});

test('[CONF-02] variables that are not set and keys that are there twice come with all other errors, and nothing that follows from them', () => {
  const text = `
target: "\${MOUNT}/bench"
sead: 1
dataset: { files: "\${FILES}", file_size: { uniform: ["\${LEAST}", 1MiB] } }
stages:
  - { name: a, mix: read, threads: 0, duration: 1s, threads: "\${THREADS}", iodepth: 5000 }
`;
  assert.deepEqual(problemsOf(text), [
    'test.yaml:2:9: environment variable MOUNT is not set',
    'test.yaml:3:1: sead: unknown key; did you mean "seed"?',
    'test.yaml:4:19: environment variable FILES is not set',
    'test.yaml:4:54: environment variable LEAST is not set',
    'test.yaml:6:53: threads: the key is there twice',
    'test.yaml:6:62: environment variable THREADS is not set',
  ]);
  // The second of two is what counts, and what is wrong with it is shown there.
  assert.deepEqual(problemsOf(`seed: 1\n${smallConfig}\nseed: x`), [
    'test.yaml:8:1: seed: the key is there twice',
    'test.yaml:8:7: seed: "x" is not a count; write it like 64, 1e6 or 1_000_000',
  ]);
});

test('[CONF-02] what only follows from another error is not reported', () => {
  const text = smallConfig.replace('duration: 60s', 'duraton: 60s');
  assert.deepEqual(problemsOf(text), [
    'test.yaml:5:53: stages[0].duraton: unknown key; did you mean "duration"?',
  ]);
});

test('a missing key, a key without a value, and a wrong type each have their sentence', () => {
  assert.deepEqual(problemsOf('target: /mnt/x\nstages: [{ name: a, duration: 1s }]'), [
    'test.yaml:2:10: stages[0].mix: is missing',
  ]);
  assert.deepEqual(problemsOf('target: /mnt/x'), ['test.yaml:1:1: stages: is missing']);
  assert.deepEqual(problemsOf(`${smallConfig}\nseed:`), ['test.yaml:7:6: seed: has no value']);
  assert.deepEqual(problemsOf(`${smallConfig}\nseed: [1]`), [
    'test.yaml:7:7: seed: must be a count such as 64, 1e6 or 1_000_000',
  ]);
  assert.deepEqual(problemsOf(`${smallConfig}\nresults: { formats: [json, xml] }`), [
    'test.yaml:7:28: results.formats[1]: must be one of json, csv, hlog, html',
  ]);
});

test('an empty file, a list, and plain text are no config', () => {
  assert.match(problemsOf('')[0] ?? '', /^test.yaml:1:1: the config is empty/);
  assert.match(problemsOf('# only a comment\n')[0] ?? '', /the config is empty/);
  assert.match(problemsOf('- a')[0] ?? '', /the config must be a mapping/);
  assert.match(problemsOf('hello')[0] ?? '', /the config must be a mapping/);
});

test('[CONF-01] a key that is there twice is refused', () => {
  assert.deepEqual(problemsOf(`${smallConfig}\nseed: 1\nname: a\nseed: 2`), [
    'test.yaml:9:1: seed: the key is there twice',
  ]);
  assert.deepEqual(problemsOf('{"seed": 1, "seed": 2}').slice(-1), [
    'test.yaml:1:13: seed: the key is there twice',
  ]);
});

test('broken syntax is reported with its place, and common slips with what to write', () => {
  assert.match(problemsOf('a: [1, 2\nb: 3')[0] ?? '', /^test.yaml:2:1: not valid YAML or JSON: /);
  assert.match(problemsOf('{"a": 1,')[0] ?? '', /^test.yaml:1:\d+: not valid YAML or JSON: /);
  assert.match(problemsOf('target: null:\n')[0] ?? '', /write "null:"/);
  assert.match(problemsOf('agents: [node[1-3]:7761]\n')[0] ?? '', /write "node\[01-16\]"/);
  // And not what the rest of the file looks like after it.
  assert.deepEqual(problemsOf(`dataset: { files: \${N} }\nstages:\n  - { name: a, mix: put }\n`), [
    `test.yaml:1:20: a variable needs quotes in a mapping written in { }; write "\${NAME}"`,
  ]);
  assert.match(problemsOf('a: !!python/x 3\n')[0] ?? '', /Unresolved tag/);
  assert.match(problemsOf('a: 1\n---\nb: 2\n')[0] ?? '', /test.yaml:2:1: .*documents/);
});

test('JSON is read like YAML, also with tabs', () => {
  const json = JSON.stringify(
    { target: '/mnt/x', stages: [{ name: 'a', mix: 'put', duration: '1s' }] },
    null,
    '\t',
  );
  assert.deepEqual(planOf(json).plan.stages[0]?.mix, [{ operation: 'put', weight: 1 }]);
  assert.deepEqual(problemsOf(json.replace('"1s"', '1')), [
    'test.yaml:7:16: stages[0].duration: 1 has no unit; write 1s or 1ms',
  ]);
});

test('an alias counts as what it stands for, with its place', () => {
  const text = `
target: /mnt/x
stages:
  - &first { name: a, mix: put, duration: 1s, block_sise: 1 }
  - *first
`;
  const found = problemsOf(text);
  assert.equal(found.length, 2);
  assert.match(found[1] ?? '', /stages\[1\].block_sise: unknown key/);
});

test('an alias of nothing is named where it stands', () => {
  const text = 'target: *there\nstages:\n  - { name: a, mix: put, duration: &d 1s, warmup: *e }\n';
  assert.deepEqual(problemsOf(text), [
    'test.yaml:1:9: *there stands for nothing: there is no &there before it',
    'test.yaml:3:51: *e stands for nothing: there is no &e before it',
  ]);
});

test('an alias inside of what it stands for is named where it stands', () => {
  const text = 'target: /mnt/x\nstages:\n  - &s { name: a, mix: { read: *s }, duration: 1s }\n';
  assert.deepEqual(problemsOf(text), ['test.yaml:3:32: *s is inside of &s, which it stands for']);
});

test('[CONF-01] --set changes one place, also where others are aliases of it; an alias in a value is refused', () => {
  const text = `
target: /mnt/x
stages:
  - { name: a, mix: &mix { put: 3, mkdir: 1 }, duration: 1s }
  - { name: b, mix: *mix, duration: 1s }
`;
  const { stages } = planOf(text, { sets: ['stages.0.mix.put=9'] }).plan;
  assert.deepEqual(
    stages.map(({ mix }) => mix.map(({ weight }) => weight)),
    [
      [9, 1],
      [3, 1],
    ],
  );
  for (const value of ['*x', '&x [*x]']) {
    assert.deepEqual(problemsOf(text, { sets: [`name=${value}`] }), [
      `--set name=${value}: *x is an alias; write what it stands for, or text in quotes`,
    ]);
  }
});

test('aliases that multiply without end are refused', () => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 8; i++) {
    const list = Array.from({ length: 10 }, () => `*a${String(i - 1)}`).join(', ');
    lines.push(`a${String(i)}: &a${String(i)} [${list}]`);
  }
  assert.match(problemsOf(lines.join('\n'))[0] ?? '', /too many aliases/);
});

test('a key called __proto__ is an unknown key like any other', () => {
  assert.match(
    problemsOf(`${smallConfig}\n__proto__: { a: 1 }`)[0] ?? '',
    /__proto__: unknown key/,
  );
  const found = problemsOf(smallConfig, { sets: ['__proto__.polluted=1'] });
  assert.match(found[0] ?? '', /__proto__: unknown key/);
  assert.equal('polluted' in {}, false);
});

test('a secret is refused wherever it is, and its value is never printed', () => {
  const places = [
    [`${smallConfig}\ntoken: hunter2`, 'token'],
    [`${smallConfig}\nsecret_key: hunter2`, 'secret_key'],
    [`${smallConfig}\ns3: { secret_access_key: hunter2 }`, 's3.secret_access_key'],
    [
      `${smallConfig}\nagents: [{ address: a, labels: { password: hunter2 } }]`,
      'agents[0].labels.password',
    ],
  ] as const;
  for (const [text, key] of places) {
    const found = problemsOf(text);
    const sentence = found.find((line) => line.includes(`: ${key}: a secret does not belong`));
    assert(sentence !== undefined, `${key}: ${found.join('\n')}`);
    assert.doesNotMatch(found.join('\n'), /hunter2/);
  }
});

test('a file that cannot be read is named, with the reason', async () => {
  const rows = [
    ['/nonexistent/config.yaml', /^Cannot read \/nonexistent\/config.yaml: there is no such file$/],
    [import.meta.dirname, /: it is a folder$/],
  ] as const;
  for (const [file, expected] of rows) {
    await assert.rejects(
      loadPlanFile({ file, env: {} }),
      (error) =>
        error instanceof MusterError &&
        !(error instanceof PlanError) &&
        error.exitCode === 2 &&
        expected.test(error.message),
    );
  }
});

test('one problem is one line, several have a heading; both end with exit code 2', () => {
  const error = (text: string): PlanError => {
    try {
      planOf(text);
    } catch (thrown) {
      if (thrown instanceof PlanError) return thrown;
    }
    return assert.fail('no PlanError');
  };
  const one = error(`${smallConfig}\nseed: x`);
  assert.match(one.message, /^test.yaml:7:7: seed: /);
  assert.equal(one.exitCode, 2);
  assert.match(
    error(`${smallConfig}\nseed: x\nname: '/'`).message,
    /^test.yaml has 2 problems:\ntest.yaml:7:7/,
  );
});
