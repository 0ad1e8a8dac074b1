import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { test } from 'node:test';
import { startAgentProcess } from '../support/agent-process.js';
import { controller, Desk } from '../support/cli-run.js';

const stage = { name: 'load', mix: 'read', threads: 2, duration: '1h' };

test('[CLI-01] [MEAS-06] check shows clock, place and free space of each agent, and what its generator can do', async (t) => {
  const desk = new Desk(t);
  const stages = [{ ...stage, rate: '1e9/s' }];
  const config = desk.config({ namespace: 'shared', stages });
  const { code, stdout, stderr } = await controller('check', config, '--embedded', '2');
  assert.equal(code, 0, stdout);
  assert.equal(stderr, '');
  assert.match(
    stdout,
    /^agent +address +version +wall clock +clock bound +round trip +mount +free +fit$/m,
  );
  const row =
    /^agent-2 +127\.0\.0\.1:\d+ +[\d.]+ +[+-][\d.]+ (ns|us|ms) +\+-[\d.]+ [um]s +[\d.]+ [um]s +\w+ on \/\S* +[\d.]+ \wiB +yes$/m;
  assert.match(stdout, row);
  for (const id of ['agent-1', 'agent-2']) {
    assert.match(
      stdout,
      new RegExp(
        `^${id}: generator: [\\d. kM]+ ops/s with 2 threads, [\\d.]+ [nu]s CPU per operation \\(stage load\\)$`,
        'm',
      ),
    );
    assert.match(
      stdout,
      new RegExp(
        `^WARNING: ${id}: stage load: its rate asks 500 000 000 ops/s of this agent, more than half`,
        'm',
      ),
    );
  }
  assert.match(stdout, /^shared target: the other agent sees what agent-1 writes$/m);
  assert.match(stdout, /^WARNING: agents agent-1 and agent-2 run on the same host$/m);
  assert.match(stdout, /^2\/2 agents are fit to run$/m);
  assert.deepEqual(readdirSync(desk.target), []);
});

test('[SAFE-01] check proves that a shared target is shared, and names the agent that has another one', async (t) => {
  const desk = new Desk(t);
  const processes = await Promise.all([startAgentProcess(), startAgentProcess()]);
  t.after(() => Promise.all(processes.map(({ program }) => program.stop())));
  const [first, second] = processes.map(({ address }) => address);
  const away = { address: second, target: desk.folder('elsewhere'), id: 'away' };
  const config = desk.config({ namespace: 'shared', agents: [first, away], stages: [stage] });
  const { code, stdout, stderr } = await controller('check', config, '-v');
  assert.equal(code, 3, stdout);
  assert.match(stderr, new RegExp(`^info: Connecting to agent ${String(second)}$`, 'm'), '-v');
  assert.match(
    stdout,
    /^away: target .*elsewhere is not shared: a file that the first agent has just made/m,
  );
  assert.doesNotMatch(stdout, /^shared target/m);
  assert.match(stdout, /^1\/2 agents are fit to run$/m);
  assert.deepEqual([readdirSync(desk.target), readdirSync(away.target)], [[], []]);
});

test('[CLI-01] agents shows a fleet as a table, and with --json as an object for each agent', async (t) => {
  const { program, address } = await startAgentProcess(['--id', 'one']);
  t.after(() => program.stop());
  const nobody = '127.0.0.1:1';
  const table = await controller('agents', address, nobody);
  assert.equal(table.code, 3);
  assert.match(table.stdout, /^address +id +host +version +state +owner$/m);
  assert.match(table.stdout, new RegExp(`^${address} +one +\\S+ +[\\d.]+\\S* +IDLE +-$`, 'm'));
  const { code, stdout } = await controller('agents', '--json', address, nobody);
  assert.equal(code, 3);
  const [there, missing, ...others] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<'address' | 'hello' | 'failure', unknown>);
  assert.ok(there && missing && others.length === 0, stdout);
  assert.equal(there.address, address);
  const { agentId, state } = there.hello as Record<string, unknown>;
  assert.deepEqual([agentId, state, there.failure], ['one', 'IDLE', undefined]);
  assert.deepEqual([missing.address, missing.hello], [nobody, undefined]);
  assert.match(String(missing.failure), /unreachable/);
});

test('[CLI-01] an agent without --id goes by the name of its host', async (t) => {
  const { program, address } = await startAgentProcess(['--metrics', '127.0.0.1:0']);
  t.after(() => program.stop());
  const [, name = '', port = ''] = /\(id (\S+)\), metrics on port (\d+)/.exec(program.output) ?? [];
  assert.equal(name, hostname());
  const { stdout } = await controller('agents', address);
  assert.equal(stdout.split('\n')[1]?.split(/ +/)[1], name, stdout);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  assert.ok(metrics.includes(`muster_agent_info{id="${name}",`), metrics);
});
