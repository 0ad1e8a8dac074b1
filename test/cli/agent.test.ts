import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { version } from '../../src/shared/model/version.js';
import { assignmentOf } from '../support/agent-driver.js';
import { processGone, startAgentProcess } from '../support/agent-process.js';
import { Program } from '../support/program.js';
import { TestController } from '../support/test-controller.js';

const folder = mkdtempSync(path.join(os.tmpdir(), 'muster-agent-cli-'));
const script = fileURLToPath(new URL('../../../bin/bench-agent.js', import.meta.url));
after(() => {
  rmSync(folder, { recursive: true });
});

async function run(...argv: string[]): Promise<{ code: number | null; output: string }> {
  const program = new Program('bench-agent', argv);
  const { code } = await program.ended;
  return { code, output: program.output };
}

const stages = assignmentOf().stages.slice(0, 1);
const endless = stages.map((stage) => ({ ...stage, durationMs: 3_600_000 }));

/** An agent with load running, and the controller it runs for. */
async function busyAgent(argv: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const agent = await startAgentProcess(argv, env);
  const controller = new TestController(agent.port);
  await controller.dial();
  controller.lease().prepare(assignmentOf({ target: 'null:', stages: endless }));
  await controller.hear('ready');
  controller.say({ kind: 'start', stage: 0, epoch: 1, atNs: agentClockNs() + 500_000_000n });
  await controller.hear('armed');
  controller.say({ kind: 'go', stage: 0, epoch: 1 });
  await controller.hear('interval');
  return { agent, controller };
}

/** Same machine, same monotonic clock. */
function agentClockNs(): bigint {
  return process.hrtime.bigint();
}

test('[CLI-01] --help names every flag and exit code; --version prints the version', async () => {
  const help = await run('--help');
  assert.equal(help.code, 0);
  const flags = [
    '--listen',
    '--once',
    '--id',
    '--root',
    '--verbose',
    '--metrics',
    '--log-format',
    '--version',
  ];
  for (const word of [...flags, 'Examples:', 'Exit codes:', '130']) {
    assert.ok(help.output.includes(word), word);
  }
  const shown = await run('--version');
  assert.deepEqual([shown.code, shown.output.trim()], [0, version]);
  assert.doesNotMatch(help.output, /default: (""|\[\]|false)/u, 'what no default is, in words');
});

test('[CLI-01] --metrics shows what the load does to Prometheus, and nothing else', async (t) => {
  const { agent, controller } = await busyAgent(['--metrics', '127.0.0.1:0', '--id', 'a"b']);
  t.after(() => agent.program.kill('SIGKILL'));
  const [, port] = /metrics on port (\d+)/.exec(agent.program.output) ?? [];
  const get = async (path: string, method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${port ?? ''}${path}`, { method });
    return { status: answer.status, text: await answer.text() };
  };
  const { status, text } = await get('/metrics');
  assert.equal(status, 200);
  assert.match(text, /^muster_agent_info\{id="a\\"b",version=/m);
  assert.match(text, /^muster_agent_state\{state="RUNNING"\} 1$/m);
  const [, count] = /^muster_operations_total\{operation="read"\} (\d+)$/m.exec(text) ?? [];
  assert.ok(Number(count) > 0, text);
  assert.equal((await get('/')).status, 404);
  assert.equal((await get('/metrics', 'POST')).status, 405);
  controller.say({ kind: 'abort', reason: 'enough' });
  await controller.hear('final');
  assert.match((await get('/metrics')).text, /^muster_operations_in_flight 0$/m);
  assert.doesNotMatch(agent.program.output, /debug: /, 'without --verbose');
});

test('[CLI-03] an address for metrics that cannot be had is one sentence and exit 2', async () => {
  // Without a port it is the one that the documentation gives to Prometheus.
  const { code, output } = await run('--listen', '127.0.0.1:0', '--metrics', '192.0.2.1');
  assert.equal(code, 2);
  assert.match(output, /^ERROR: Cannot show metrics on 192\.0\.2\.1:9761: /m);
});

test('[CLI-03] wrong flags are refused with one sentence and exit 2', async () => {
  const wrong: [string[], RegExp][] = [
    [['--lisen', ':7761'], /unknown option '--lisen'/],
    [['--log-format', 'xml'], /Allowed choices are text, json/],
    [['extra'], /too many arguments/],
    [
      ['--listen', 'http://localhost:1'],
      /is not an address to listen on: it is written without http:\/\//,
    ],
    [
      ['--metrics', '99999999'],
      /"99999999" is not an address to listen on: "99999999" is not a port \(0 to 65535\)/,
    ],
    [['--listen', '127.0.0.1:99999'], /99999/],
    [['--id', 'two\nlines'], /--id <name>.* is invalid\. It is 1 to 64 characters/s],
    [['--id', 'x'.repeat(65)], /It is 1 to 64 characters that can be printed/],
    [['--root', path.join(folder, 'missing')], /--root .*missing does not exist/],
    [['--root', script], /is not a folder/],
    [['--root', ''], /'--root <folder>' argument '' is invalid\. It is empty/],
    [['--spool', ''], /'--spool <folder>' argument '' is invalid\. It is empty/],
  ];
  for (const [argv, sentence] of wrong) {
    const { code, output } = await run(...argv);
    assert.equal(code, 2, argv.join(' '));
    assert.match(output, sentence);
    assert.doesNotMatch(output, /\n\s+at /, 'no stack');
  }
});

test('[RUN-26] a port in use ends the agent with an error that names port and likely cause', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const address = holder.address();
  assert.ok(address !== null && typeof address === 'object');
  const { code, output } = await run('--listen', `127.0.0.1:${String(address.port)}`);
  holder.close();
  assert.equal(code, 2);
  assert.ok(output.includes(`port ${String(address.port)} is in use, probably by another`));
});

test('[CLI-03] an agent that cannot listen ends, and leaves no folder behind that it made', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  t.after(() => holder.close());
  await once(holder, 'listening');
  const address = holder.address();
  assert.ok(address !== null && typeof address === 'object');
  const inUse = `127.0.0.1:${String(address.port)}`;
  const there = path.join(folder, 'there');
  mkdirSync(there);
  const vain: string[][] = [
    ['--listen', inUse],
    // What has been opened before must not keep the process.
    ['--listen', inUse, '--metrics', '127.0.0.1:0'],
    ['--listen', '192.0.2.1:7799'],
    ['--listen', '127.0.0.1:0', '--metrics', inUse],
  ];
  for (const argv of vain) {
    const made = path.join(folder, 'made');
    assert.equal((await run(...argv, '--spool', made)).code, 2, argv.join(' '));
    assert.ok(!existsSync(made), argv.join(' '));
    // It may be that of the agent which has the port.
    assert.equal((await run(...argv, '--spool', there)).code, 2, argv.join(' '));
    assert.ok(existsSync(there), argv.join(' '));
  }
});

test('[CLI-03] a program that is not built says so', async () => {
  const bin = path.join(folder, 'unbuilt', 'bin');
  cpSync(path.dirname(script), bin, { recursive: true });
  const child = fork(path.join(bin, 'bench-agent.js'), {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let words = '';
  child.stderr?.on('data', (data: Buffer) => (words += data.toString()));
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 70);
  assert.match(words, /bench-agent is not built yet: run `npm run build` first/);
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`[CLI-02] an idle agent that gets ${signal} exits with 0`, async () => {
    const { program } = await startAgentProcess(['--id', 'agent-7']);
    assert.match(
      program.stdout,
      /^bench-agent \S+ listening on 127\.0\.0\.1:\d+ \(id agent-7\)\n$/,
    );
    program.kill(signal);
    assert.deepEqual(await program.ended, { code: 0, signal: null });
  });

  test(`[CLI-02] a busy agent that gets ${signal} aborts the run, tells the controller and exits with 130`, async () => {
    const { agent, controller } = await busyAgent();
    agent.program.kill(signal);
    const error = await controller.hear('error');
    assert.deepEqual([error.code, error.message], ['stopped', 'agent stopped by operator']);
    assert.equal((await controller.hear('final')).state, 'ABORTED');
    const result = await controller.hear('stageResult');
    assert.equal(result.endedBy, 'aborted');
    assert.ok((result.operations[0]?.count ?? 0) > 0);
    assert.deepEqual(await agent.program.ended, { code: 130, signal: null });
    await controller.end();
  });
}

test('a second signal ends a busy agent at once', async () => {
  const { agent, controller } = await busyAgent();
  agent.program.kill('SIGTERM');
  await agent.program.waitFor(/Received SIGTERM - stopping/);
  agent.program.kill('SIGTERM');
  assert.equal((await agent.program.ended).code, 130);
  controller.vanish();
});

test('[RUN-10] an agent that is killed takes its load with it', async () => {
  const { agent, controller } = await busyAgent(['-v']);
  const pid = Number(/debug: workload process (\d+) started/.exec(agent.program.output)?.[1]);
  assert.ok(pid > 0, agent.program.output);
  agent.program.kill('SIGKILL');
  await agent.program.ended;
  await controller.end();
  await processGone(pid);
});

test('an agent forked with a channel says its port there, and leaves when its parent is gone', async () => {
  const child = fork(script, ['--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  const [message] = (await once(child, 'message')) as [{ kind: string; port: number }];
  assert.equal(message.kind, 'listening');
  const controller = new TestController(message.port);
  await controller.dial();
  await controller.goodbye();
  child.disconnect();
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
});

test('an agent whose parent is gone before it has begun to listen leaves, too', async () => {
  const child = fork(script, ['--listen', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  child.disconnect();
  const [code] = (await once(child, 'exit')) as [number];
  assert.equal(code, 0);
});

test('an agent whose parent goes between its beginning to listen and its saying so leaves, too', async () => {
  // Stands still in between, until its standard input ends.
  const preload = `import { readSync } from 'node:fs';
    const write = process.stdout.write.bind(process.stdout);
    process.stdout.write = (line) => write(line) | readSync(0, Buffer.alloc(1));`;
  const child = fork(script, ['--listen', '127.0.0.1:0'], {
    execArgv: ['--import', `data:text/javascript,${encodeURIComponent(preload)}`],
    stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
  });
  const exit = once(child, 'exit');
  await once(child.stdout!, 'data');
  child.disconnect();
  await once(child, 'disconnect');
  child.stdin!.end();
  assert.deepEqual(await exit, [0, null]);
});

test('[CLI-01] --log-format json writes one object per line', async () => {
  const { program } = await startAgentProcess(['--log-format', 'json']);
  program.kill('SIGTERM');
  await program.ended;
  const entry = JSON.parse(program.stderr.trim().split('\n')[0] ?? '') as { line: string };
  assert.equal(entry.line, 'Received SIGTERM - stopping');
});

test('[RPC-10] an agent removes what killed ones left among the temporary files, and nothing of those that live', async (t) => {
  const own = mkdtempSync(path.join(folder, 'temporary-'));
  const killed = await busyAgent(['-v'], { TMPDIR: own });
  const [, workload] = await killed.agent.program.waitFor(/workload process (\d+) started/);
  killed.agent.program.kill('SIGKILL');
  await killed.agent.program.ended;
  await processGone(Number(workload));
  const [left = ''] = readdirSync(own);
  const [, scope = '', pid = ''] = /^muster-runner-(\w{12})-(\d+)-\d+-\w{6}$/.exec(left) ?? [];
  assert.equal(pid, String(killed.agent.program.pid), left);

  const stat = readFileSync('/proc/self/stat', 'latin1');
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  const inMemory = mkdtempSync(`/dev/shm/muster-warm-up-${scope}-${pid}-1-`);
  t.after(() => rmSync(inMemory, { recursive: true, force: true }));
  const recycled = `muster-runner-${scope}-${process.pid}-${Number(start) + 1}-abcdef`;
  const staying = [
    `muster-runner-${scope}-${process.pid}-${start}-abcdef`,
    `muster-runner-${'0'.repeat(12)}-${pid}-1-abcdef`,
    `muster-runner-${scope}-${pid}-1-abcdef.mine`,
    'muster-runner-abcdef',
  ];
  for (const name of [recycled, ...staying]) mkdirSync(path.join(own, name));
  writeFileSync(path.join(own, recycled, 'file'), '');
  // As a link it leads away from the folder.
  symlinkSync(folder, path.join(own, `muster-runner-${scope}-${pid}-2-abcdef`));

  const next = await startAgentProcess([], { TMPDIR: own });
  next.program.kill('SIGTERM');
  await next.program.ended;
  const link = `muster-runner-${scope}-${pid}-2-abcdef`;
  assert.deepEqual(readdirSync(own).sort(), [...staying, link].sort());
  assert.equal(existsSync(inMemory), false);
  assert.match(next.program.output, /removed .*, left behind by a process that was killed/);
});
