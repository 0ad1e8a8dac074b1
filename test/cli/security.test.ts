import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import type { TestContext } from 'node:test';
import { startAgentProcess } from '../support/agent-process.js';
import { makeAuthority } from '../support/certificates.js';
import { assertOneSentence, Desk, printed } from '../support/cli-run.js';
import { ForeignClient } from '../support/foreign-client.js';
import { Program } from '../support/program.js';
import { filesBelow } from '../support/temporary-folder.js';

const secret = 'c0ffee00112233445566778899aabbccddeeff';
const otherSecret = 'beef0000112233445566778899aabbccddeeff';

const stages = [{ name: 'load', mix: 'read', block_size: '4KiB', duration: '1s', threads: 1 }];
const load = { target: 'null:', dataset: undefined, stages };

function secretFile(desk: Desk, name: string, content: string | Buffer): string {
  const file = desk.file(name, content);
  chmodSync(file, 0o600);
  return file;
}

async function agentFor(t: TestContext, argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const agent = await startAgentProcess(['--verbose', ...argv], env);
  t.after(() => agent.program.stop());
  return agent;
}

/** bench-controller until it has ended. */
const controlled = (argv: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  printed(new Program('bench-controller', [...argv], env));

/** The command lines of all processes, as every user of the host can see them. */
const commandLines = (): string => execFileSync('ps', ['-ww', '-eo', 'args'], { encoding: 'utf8' });

test('[LINK-07] with a token file on both sides a run completes, and the token is nowhere to be found', async (t) => {
  const desk = new Desk(t);
  const token = secretFile(desk, 'token', `${secret}\n`);
  const agent = await agentFor(t, ['--token-file', token]);
  const config = desk.config({ ...load, agents: [agent.address] });
  const argv = ['run', config, '--results', desk.results, '--progress', 'json', '--verbose'];
  const run = new Program('bench-controller', [...argv, '--token-file', token]);
  t.after(() => run.stop());
  await run.waitFor(/"phase":"running"/);
  assert.ok(!commandLines().includes(secret), 'in the arguments of a process');
  const { code, stdout, stderr } = await printed(run);
  assert.equal(code, 0, stderr);
  assert.equal((await controlled(['check', config, '--token-file', token])).code, 0);
  for (const [where, text] of [
    ['stdout', stdout],
    ['stderr', stderr],
    ["the agent's log", agent.program.output],
    ...filesBelow(desk.results).map(
      (file) => [file, readFileSync(join(desk.results, file), 'utf8')] as const,
    ),
  ] as const) {
    assert.ok(!text.includes(secret), `the token is in ${where}`);
    assert.ok(!text.includes(Buffer.from(secret).toString('base64')), `the token is in ${where}`);
  }
  assert.ok(filesBelow(desk.results).length >= 5, 'something was looked at');
});

test('[LINK-07] another token, none, or one on the wrong side: one sentence on both sides, exit 3, nothing started', async (t) => {
  const desk = new Desk(t);
  const [mine, other] = [secretFile(desk, 'mine', secret), secretFile(desk, 'other', otherSecret)];
  const guarded = await agentFor(t, [], { BENCH_TOKEN: secret });
  const open = await agentFor(t, []);
  const rows = [
    [
      guarded,
      ['--token-file', other],
      /refuses the token of this controller/,
      /its token is another one/,
    ],
    [
      guarded,
      [],
      /it wants a token, and this controller has none \(--token-file, or BENCH_TOKEN\)/,
      /it has no token/,
    ],
    [
      open,
      ['--token-file', mine],
      /it has no token, so it would obey anybody/,
      /this agent has none/,
    ],
  ] as const;
  for (const [agent, flags, sentence, line] of rows) {
    const config = desk.config({ ...load, agents: [agent.address] });
    for (const command of flags.length === 0 ? ['check', 'run', 'prepare', 'cleanup'] : ['run']) {
      const results = command === 'check' ? [] : ['--results', desk.results];
      const shown = await controlled([command, config, ...flags, ...results]);
      assert.equal(shown.code, 3, shown.stderr);
      assert.match(shown.stdout + shown.stderr, sentence);
      assert.doesNotMatch(shown.stderr, /^\s+at /m);
    }
    const shown = await controlled(['agents', agent.address, ...flags]);
    assert.equal(shown.code, 3);
    assert.match(shown.stdout, sentence);
    await agent.program.waitFor(line);
    assert.doesNotMatch(agent.program.output, /has the agent|workload process/);
  }
  const known = await controlled(['agents', guarded.address], { BENCH_TOKEN: secret });
  assert.equal(known.code, 0, known.stderr);
  assert.match(known.stdout, /IDLE/);
});

test('[LINK-08] with certificates on both sides, from flags or the config, a run completes', async (t) => {
  const desk = new Desk(t);
  const authority = makeAuthority('muster test');
  const pem = (name: string, { cert, key }: { cert: Buffer; key: Buffer }) => ({
    cert: desk.file(`${name}.pem`, cert),
    key: secretFile(desk, `${name}.key`, key),
  });
  const ca = desk.file('ca.pem', authority.cert);
  const agentOwn = pem('agent', authority.issue({ name: 'agent' }));
  const own = pem('controller', authority.issue({ name: 'controller' }));
  const foreign = pem('foreign', makeAuthority('other').issue({ name: 'controller' }));
  const agent = await agentFor(t, [
    ...['--tls-cert', agentOwn.cert, '--tls-key', agentOwn.key, '--tls-ca', ca],
  ]);
  const config = desk.config({ ...load, agents: [agent.address], tls: { ca, ...own } });
  const results = ['--results', desk.results];
  const good = await controlled(['run', config, ...results]);
  assert.equal(good.code, 0, good.stderr);
  assert.equal((await controlled(['check', config])).code, 0);
  const flags = ['--tls-ca', ca, '--tls-cert', foreign.cert, '--tls-key', foreign.key];
  const bad = await controlled([
    'run',
    config,
    ...results,
    ...flags,
    '--set',
    'timeouts.connect=1s',
  ]);
  assert.equal(bad.code, 3, bad.stderr);
  assert.match(bad.stderr, /agent's log says whether it refuses this controller's certificate/);
  await agent.program.waitFor(/its certificate was issued by another authority/);
  const bare = desk.config({ ...load, agents: [agent.address] }, 'bare.json');
  const none = await controlled(['run', bare, ...results, '--tls-ca', ca]);
  assert.equal(none.code, 3, none.stderr);
  assert.match(none.stderr, /it wants a certificate from this controller/);
  await agent.program.waitFor(/it has no certificate, and this agent wants one/);
});

test('[LINK-07] [LINK-08] recover shows the token of its command line and the certificates of the run', async (t) => {
  const desk = new Desk(t);
  const authority = makeAuthority('muster test');
  const ca = desk.file('ca.pem', authority.cert);
  const pem = (name: string) => {
    const { cert, key } = authority.issue({ name });
    return { cert: desk.file(`${name}.pem`, cert), key: secretFile(desk, `${name}.key`, key) };
  };
  const [agentOwn, own] = [pem('agent'), pem('controller')];
  const token = ['--token-file', secretFile(desk, 'token', secret)];
  const certificates = ['--tls-cert', agentOwn.cert, '--tls-key', agentOwn.key, '--tls-ca', ca];
  const agent = await agentFor(t, [...token, ...certificates, '--spool', desk.folder('spool')]);
  const config = desk.config({
    ...load,
    agents: [agent.address],
    stages: [{ ...stages[0], duration: '60s' }],
    tls: { ca, ...own },
  });
  const results = ['--results', desk.results, '--progress', 'json'];
  const run = new Program('bench-controller', ['run', config, ...results, ...token]);
  t.after(() => run.stop());
  await run.waitFor(/"phase":"running"/);
  await run.stop();
  const folder = desk.newest().path;
  const without = await controlled(['recover', folder]);
  assert.match(without.stderr, /agent-1: its checkpoint cannot be fetched.* wants a token/);
  assert.doesNotMatch(without.stderr, /asked at/);
  const recovered = await controlled(['recover', folder, '-v', ...token]);
  assert.equal(recovered.code, 4, recovered.stderr);
  assert.match(recovered.stderr, /^Agent agent-1: asked at 127\.0\.0\.1:\d+ for what/m, '-v');
  assert.match(recovered.stderr, /^Agent agent-1: checkpoint fetched/m);
});

test('an unfit token or certificate is one sentence and exit 2, on both programs', async (t) => {
  const desk = new Desk(t);
  const readable = desk.file('readable', secret);
  chmodSync(readable, 0o644);
  const config = desk.config({ ...load, agents: ['127.0.0.1:1'] });
  for (const [flags, sentence] of [
    [['--token-file', join(desk.path, 'none')], /Cannot read .*: there is no such file/],
    [['--token-file', desk.path], /Cannot read .*: it is a folder/],
    // What an unset variable of a script leaves.
    [['--token-file', ''], /--token-file: the name of the file is empty/],
    [['--tls-cert', '', '--tls-key', ''], /--tls-(?:cert|key): the name of the file is empty/],
    [
      ['--token-file', readable],
      /is a secret, and other users of this host have access to it \(mode 644\)/,
    ],
    [['--tls-cert', readable], /A TLS cert needs its key: give both/],
  ] as const) {
    const agent = await printed(new Program('bench-agent', ['--listen', '127.0.0.1:0', ...flags]));
    assertOneSentence(agent, 2, sentence);
    assertOneSentence(await controlled(['run', config, ...flags]), 2, sentence);
  }
  const lonely = new Program('bench-agent', ['--listen', '127.0.0.1:0', '--tls-ca', readable]);
  assertOneSentence(await printed(lonely), 2, /--tls-ca needs --tls-cert and --tls-key/);
});

test('an agent that anybody can reach says so once, one on loopback or with a token does not', async (t) => {
  const listening = async (listen: string, env: NodeJS.ProcessEnv = {}) => {
    const program = new Program('bench-agent', ['--listen', listen], env);
    t.after(() => program.stop());
    await program.waitFor(/listening on/);
    return program.output.match(/whoever reaches this port can run load/g)?.length ?? 0;
  };
  assert.equal(await listening(':0'), 1);
  assert.equal(await listening('127.0.0.1:0'), 0);
  assert.equal(await listening(':0', { BENCH_TOKEN: secret }), 0);
});

test('[LINK-07] an embedded agent obeys nobody but the controller that started it', async (t) => {
  const desk = new Desk(t);
  const config = desk.config({ ...load, stages: [{ ...stages[0], duration: '60s' }] });
  const argv = ['run', config, '--results', desk.results, '--progress', 'json'];
  const run = new Program('bench-controller', argv);
  t.after(() => run.stop());
  const [, address = ''] = await run.waitFor(/Connecting to agent (127\.0\.0\.1:\d+)/);
  await run.waitFor(/"phase":"running"/);
  const stranger = await controlled(['agents', address]);
  assert.equal(stranger.code, 3);
  assert.match(stranger.stdout, /it wants a token, and this controller has none/);
  run.kill('SIGINT');
  assert.equal((await run.ended).code, 130);
});

test('[LINK-07] a client written from docs/protocol.md and agent.proto alone drives an agent', async (t) => {
  const agent = await agentFor(t, [], { BENCH_TOKEN: secret });
  const client = new ForeignClient(agent.address, secret, 'foreign-run');
  t.after(() => {
    client.close();
  });
  const details = await client.hello();
  assert.equal(details['state'], 'IDLE');
  const welcome = await client.open();
  assert.equal(welcome['instanceId'], details['instanceId']);
  await client.message('heartbeat', ({ state }) => state === 'IDLE');
  client.send({ prepare: { assignment: '{ "runId": 7 }' } });
  const { error } = (await client.message('error')) as { error: Record<string, unknown> };
  assert.equal(error['code'], 'config');
  assert.match(String(error['message']), /runId/, 'the field is named');
  client.send({ goodbye: { reason: 'seen enough' } });
  await agent.program.waitFor(/Run foreign-run has left the agent/);
  assert.doesNotMatch(agent.program.output, /invalid message/);
  const wrong = new ForeignClient(agent.address, otherSecret, 'foreign-run');
  t.after(() => {
    wrong.close();
  });
  await assert.rejects(wrong.hello());
});
