import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MusterError } from '../../../../src/shared/kernel/errors.js';
import { planOf, problemsOf, smallConfig } from '../../../support/example-plan.js';
import type { PlanSource } from '../../../../src/controller/shell/plan-source.js';

const agentsOf = (text: string, source: Partial<PlanSource> = {}) =>
  planOf(text, source).plan.agents.map(({ id, address }) => `${id}=${address}`);
const withAgents = (agents: string) => `${smallConfig}\nagents: ${agents}`;

test('agents are numbered in the order of the list unless they have an id; ranges expand', () => {
  assert.deepEqual(agentsOf(withAgents(`['node[01-03]:7761', { address: 'x:1', id: big }, y]`)), [
    'agent-1=node01:7761',
    'agent-2=node02:7761',
    'agent-3=node03:7761',
    'big=x:1',
    'agent-5=y:7761',
  ]);
});

test('settings of an entry with a range hold for each of its agents', () => {
  const { plan } = planOf(
    withAgents(
      `[{ address: 'n[1-2]', target: '/mnt/{agent}/{index}', threads: 3, labels: { rack: b } }]`,
    ),
  );
  assert.deepEqual(
    plan.agents.map(({ target, threads, labels }) => [target, threads, labels]),
    [
      ['/mnt/agent-1/0', 3, { rack: 'b' }],
      ['/mnt/agent-2/1', 3, { rack: 'b' }],
    ],
  );
});

test('without agents there is one inside the controller; --embedded asks for more and replaces the list', () => {
  assert.deepEqual(agentsOf(smallConfig), ['agent-1=embedded:1']);
  assert.deepEqual(agentsOf(withAgents('[a, b, c]'), { embedded: 2 }), [
    'agent-1=embedded:1',
    'agent-2=embedded:2',
  ]);
});

test('--agents replaces the list, and is the place of errors in it', () => {
  assert.deepEqual(agentsOf(withAgents('[a, b, c]'), { agentsOverride: ['x[1-2]', 'y:1'] }), [
    'agent-1=x1:7761',
    'agent-2=x2:7761',
    'agent-3=y:1',
  ]);
  assert.deepEqual(problemsOf(smallConfig, { agentsOverride: ['x', 'X:7761'] }), [
    '--agents x,X:7761: agents[1]: X:7761 is listed twice (also in agents[0]); one agent cannot take part twice',
  ]);
});

test('[RUN-02] the same address or the same id twice is refused, also through a range', () => {
  const found = problemsOf(withAgents(`['n[1-2]', 'N2:7761', { address: q, id: agent-1 }]`));
  assert.deepEqual(found, [
    'test.yaml:7:20: agents[1]: N2:7761 is listed twice (also in agents[0]); one agent cannot take part twice',
    'test.yaml:7:31: agents[2]: the id "agent-1" is given twice (also in agents[0])',
  ]);
});

test('a range cannot have one id', () => {
  const [found] = problemsOf(withAgents(`[{ address: 'n[1-2]', id: x }]`));
  assert.match(found ?? '', /^test.yaml:7:35: agents\[0\].id: 2 agents cannot have the same id/);
});

test('flags that contradict each other are refused', () => {
  const bad: [Partial<PlanSource>, RegExp][] = [
    [{ agentsOverride: ['a'], embedded: 1 }, /exclude each other/],
    [{ embedded: 0 }, /from 1 to 64/],
    [{ embedded: 65 }, /from 1 to 64/],
    [{ embedded: 1, sets: ['agents.0.threads=2'] }, /has no meaning with --embedded/],
  ];
  for (const [source, expected] of bad) {
    assert.throws(
      () => planOf(smallConfig, source),
      (error) =>
        error instanceof MusterError && error.exitCode === 2 && expected.test(error.message),
    );
  }
});

test('--set changes any key, makes what is missing, and appends at the end of a list', () => {
  const { plan } = planOf(smallConfig, {
    sets: [
      'stages.0.threads=16',
      'stages[0].mix={read: 1, write: 3}',
      'stages.1={name: more, mix: stat, max_operations: 1e3}',
      'timeouts.connect=1s',
      'target=null:',
      'expect.0=more.errors == 0',
      'seed=1',
      'seed=2',
    ],
  });
  assert.equal(plan.stages[0]?.threads, 16);
  assert.deepEqual(
    plan.stages[0].mix.map(({ weight }) => weight),
    [1, 3],
  );
  assert.equal(plan.stages[1]?.maxOperations, 1000);
  assert.equal(plan.timeouts.connectMs, 1000);
  assert.equal(plan.agents[0]?.target, 'null:');
  assert.equal(plan.expect[0]?.stage, 'more');
  assert.equal(plan.seed, 2);
});

test('[CONF-01] --set passes the same checks, and an error names the flag', () => {
  const rows = [
    [
      'stages.0.treads=1',
      /^--set stages.0.treads=1: stages\[0\].treads: unknown key; did you mean "threads"/,
    ],
    ['stages.0.threads=x', /^--set stages.0.threads=x: stages\[0\].threads: "x" is not a count/],
    ['stages.3.threads=1', /stages has only 1 entry/],
    ['stages.x=1', /stages is a list; use a number such as stages.0/],
    ['seed.x=1', /seed is not a mapping or a list|seed: must be/],
    ['target.x=1', /target is not a mapping or a list/],
    ['seed', /is not an override; write it like stages.0.threads=16/],
    ['=1', /is not an override/],
    ['seed=', /seed: has no value/],
    ['seed=[1', /not valid YAML/],
    ['token=x', /a secret does not belong/],
  ] as const;
  for (const [flag, expected] of rows) {
    const [found] = problemsOf(smallConfig, { sets: [flag] });
    assert.match(found ?? 'accepted', expected, flag);
    assert.match(found ?? '', /^--set /, flag);
  }
});

test(`\${NAME} is an environment variable; a missing one is an error where it stands`, () => {
  const text = smallConfig
    .replace('/mnt/bench', () => `\${ROOT}/x/$\${ROOT}`)
    .replace('60s', `"\${HOW_LONG}"`);
  const env = { ROOT: '/srv', HOW_LONG: '5s' };
  assert.throws(
    () => planOf(text, { env }),
    /\{ROOT\} is not known; there are \{agent\} and \{index\}/,
  );
  const { plan } = planOf(text.replace(`/x/$\${ROOT}`, '/x'), { env });
  assert.equal(plan.agents[0]?.target, '/srv/x');
  assert.equal(plan.stages[0]?.durationMs, 5000);
  assert.deepEqual(problemsOf(text), [
    'test.yaml:2:9: environment variable ROOT is not set',
    'test.yaml:5:63: environment variable HOW_LONG is not set',
  ]);
});

test('a variable may hold a number, true or false; a broken reference is an error', () => {
  const text = smallConfig.replace('duration', `threads: "\${N}", direct: "\${D}", duration`);
  const [stage] = planOf(text, { env: { N: '4', D: 'true' } }).plan.stages;
  assert.deepEqual([stage?.threads, stage?.direct], [4, true]);
  assert.match(
    problemsOf(`${smallConfig}\nname: "\${a b}"`)[0] ?? '',
    /"\$\{a b\}" is not an environment variable/,
  );
  assert.match(
    problemsOf(`${smallConfig}\nname: "\${a"`)[0] ?? '',
    /is not an environment variable/,
  );
});

test('the name defaults to that of the file, the seed is drawn when there is none', () => {
  assert.equal(planOf(smallConfig, { file: 'dir/nightly.v2.yaml' }).plan.name, 'nightly.v2');
  assert.equal(planOf(smallConfig, { file: 'ä.yaml' }).plan.name, 'run');
  assert.equal(planOf(smallConfig, { randomSeed: () => 77 }).plan.seed, 77);
});

test('the text and the name of the file are kept as they were', () => {
  const loaded = planOf(smallConfig, { sets: ['seed=3'] });
  assert.equal(loaded.configText, smallConfig);
  assert.equal(loaded.configPath, 'test.yaml');
});

test('without I/O there need be no dataset: the null engine gets imaginary files', () => {
  const text = 'target: "null:"\nstages: [{ name: a, mix: read, duration: 1s }]';
  assert.equal(planOf(text).plan.dataset.files, 1);
  assert.equal(planOf(text, { embedded: 3, sets: ['namespace=shared'] }).plan.dataset.files, 3);
});

test('the block size defaults to 1 MiB, or the size of the files if that is smaller', () => {
  const block = (size: string) =>
    planOf(
      `target: /mnt/x\ndataset: { files: 1, file_size: ${size} }\nstages: [{ name: a, mix: read, duration: 1s }]`,
    ).plan.stages[0]?.blockSizeBytes;
  assert.equal(block('1GiB'), 1024 ** 2);
  assert.equal(block('4KiB'), 4096);
});

test('agents get a plain path or null:, however the target is written; a path keeps its dots', () => {
  const target = (text: string) =>
    planOf(smallConfig, { sets: [`target=${text}`] }).plan.agents[0]?.target;
  assert.equal(target('file:///mnt/a%20b/../c'), '/mnt/c');
  assert.equal(target('FILE:///mnt/a%20b'), '/mnt/a b');
  assert.equal(target('NULL:'), 'null:');
  assert.equal(target('/mnt/a/../b%20'), '/mnt/a/../b%20');
});

test('[LINK-13] all forms of addresses may stand in the list, and bad ones are refused in words', () => {
  const forms = `['[::1]:1', 'grpc://a', 'dns:///b:2', 'n[1,3-4]', ':7761']`;
  assert.deepEqual(agentsOf(withAgents(forms)), [
    'agent-1=[::1]:1',
    'agent-2=a:7761',
    'agent-3=b:2',
    'agent-4=n1:7761',
    'agent-5=n3:7761',
    'agent-6=n4:7761',
    'agent-7=localhost:7761',
  ]);
  assert.match(
    problemsOf(withAgents(`[a, 'http://node1']`))[0] ?? '',
    /^test.yaml:7:13: agents\[1\]: "http:\/\/node1" is not an agent address: agents speak gRPC, not HTTP/,
  );
});

test('of two flags for the same key the later one counts, and is the place of its error', () => {
  const sets = ['stages.0.threads=x', 'stages.0.threads=y'];
  assert.match(
    problemsOf(smallConfig, { sets })[0] ?? '',
    /^--set stages.0.threads=y: .*"y" is not/,
  );
});
