/** Who can be reached by others, and asks nobody for a token or certificate, says so once. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { test } from 'node:test';
import { startAgentProcess } from '../support/agent-process.js';
import { Desk, printed } from '../support/cli-run.js';
import { Program } from '../support/program.js';

const secret = 'c0ffee00112233445566778899aabbccddeeff';
const stages = [{ name: 'load', mix: 'read', block_size: '4KiB', duration: '1s' }];

const warnings = (text: string): number =>
  text.match(/WARNING: .*without token and TLS/g)?.length ?? 0;

test('[LINK-07] an agent that all hosts reach warns once that it has no token; on loopback, or with one, it does not', async (t) => {
  const started = async (listen: string, env: NodeJS.ProcessEnv = {}): Promise<string> => {
    const program = new Program('bench-agent', ['--listen', listen, '--no-spool'], env);
    t.after(() => program.stop());
    await program.waitFor(/listening on/);
    return program.output;
  };
  assert.equal(warnings(await started(':0')), 1);
  assert.equal(warnings(await started('127.0.0.1:0')), 0);
  assert.equal(warnings(await started(':0', { BENCH_TOKEN: secret })), 0);
});

test('[LINK-07] a controller warns once that others can listen, in run and check; with a token it does not', async (t) => {
  const desk = new Desk(t);
  const token = desk.file('token', secret);
  chmodSync(token, 0o600);
  const open = await startAgentProcess();
  const guarded = await startAgentProcess([], { BENCH_TOKEN: secret });
  t.after(() => open.program.stop());
  t.after(() => guarded.program.stop());
  const told = async (
    command: string,
    host: string,
    port: number,
    argv: readonly string[] = [],
  ) => {
    const config = desk.config({ target: 'null:', stages, agents: [`${host}:${String(port)}`] });
    const results = command === 'run' ? ['--results', desk.results] : [];
    const program = new Program('bench-controller', [command, config, ...results, ...argv]);
    const { code, stdout, stderr } = await printed(program);
    assert.equal(code, 0, stdout + stderr);
    return warnings(stderr);
  };
  // The kernel takes it for this host; it is no address of the loopback interface.
  const elsewhere = '0.0.0.0';
  for (const command of ['run', 'check']) {
    assert.equal(await told(command, elsewhere, open.port), 1, command);
  }
  assert.equal(await told('run', '127.0.0.1', open.port), 0);
  assert.equal(await told('run', elsewhere, guarded.port, ['--token-file', token]), 0);
});
