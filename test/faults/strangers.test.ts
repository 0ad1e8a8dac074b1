import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { Token } from '../../src/shared/wire/auth.js';
import { greetAgent } from '../../src/shared/wire/dial-agent.js';
import { handshakeFrame } from '../../src/shared/wire/handshake-frames.js';
import { openOf } from '../support/agent-driver.js';
import { startAgentProcess } from '../support/agent-process.js';
import { FleetRun } from '../support/fleet-run.js';
import { Noise } from '../support/fuzz/noise.js';
import { Program } from '../support/program.js';
import { RawSession } from '../support/raw-client.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const secret = 'c0ffee00112233445566778899aabbccddeeff';

/** Resident memory of a process in MiB; Linux only. */
function residentMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]) / 1024;
}

test('[LINK-07] [RPC-04] strangers hammer at an agent during a run: guesses, noise, replays, stalled handshakes: the run is unharmed, the log short, the memory bounded', async (t) => {
  const folder = temporaryFolder();
  const tokenFile = path.join(folder.path, 'token');
  writeFileSync(tokenFile, secret);
  chmodSync(tokenFile, 0o600);
  const target = path.join(folder.path, 'target');
  mkdirSync(target);
  const agent = await startAgentProcess(['--token-file', tokenFile]);
  const config = path.join(folder.path, 'config.json');
  const stages = [
    {
      name: 'load',
      mix: { read: 50, write: 50 },
      block_size: '4KiB',
      duration: '6s',
      fsync: 'every',
    },
  ];
  const dataset = { name: 'data', files: 4, file_size: '64KiB' };
  writeFileSync(
    config,
    JSON.stringify({
      agents: [{ address: agent.address, id: 'agent-1', target }],
      dataset,
      stages,
    }),
  );
  const results = path.join(folder.path, 'results');
  const flags = ['--results', results, '--progress', 'json', '--token-file', tokenFile];
  const run = new FleetRun(
    new Program('bench-controller', ['run', config, ...flags]),
    config,
    results,
  );
  t.after(async () => {
    await run.program.stop();
    await agent.program.stop();
    folder.remove();
  });
  await run.loaded();
  const before = residentMiB(agent.program.pid);

  const noise = new Noise(7);
  const over = run.program.ended;
  let running = true;
  void over.then(() => (running = false));
  const tried = { guesses: 0, sessions: 0, noise: 0 };
  const address = { host: '127.0.0.1', port: agent.port };
  const patience = { connectMs: 30_000, helloMs: 30_000, clock: systemClock };
  const guess = async (): Promise<void> => {
    while (running) {
      const access = { token: new Token(`a guess of the stranger, number ${tried.guesses}`) };
      await assert.rejects(
        greetAgent({ address, ...patience, access }, new AbortController().signal),
      );
      tried.guesses += 1;
    }
  };
  const open = handshakeFrame(openOf(), 1n, 'toAgent');
  const knock = async (): Promise<void> => {
    while (running) {
      const session = new RawSession(agent.port);
      session.write(noise.random.chance(0.5) ? open : noise.bytes(200_000));
      // More of it, after it was refused, as fast as it is taken.
      for (let more = 0; more < 200 && session.write(noise.mutated(open)); more += 1)
        tried.noise += 1;
      await session.ended;
      session.close();
      tried.sessions += 1;
    }
  };
  const stalled = Array.from({ length: 80 }, () =>
    connect({ host: '127.0.0.1', port: agent.port }),
  );
  for (const socket of stalled) socket.on('error', () => undefined);
  await Promise.all([...Array.from({ length: 3 }, guess), ...Array.from({ length: 4 }, knock)]);
  for (const socket of stalled) socket.destroy();

  await run.exits(0);
  run.checkSums();
  run.checkTimeLine('agent-1');
  assert.doesNotMatch(run.said, /WARNING: Agent|reconnected|invalid message/);
  assert.ok(tried.guesses > 10 && tried.sessions > 10 && tried.noise > 100, JSON.stringify(tried));
  const log = agent.program.output.split('\n');
  assert.ok(log.length < 100, `${log.length} lines in the agent's log`);
  assert.match(
    agent.program.output,
    /Refused \d+ more within 10s|its open was not made with the token/,
  );
  const grown = residentMiB(agent.program.pid) - before;
  assert.ok(grown < 150, `the agent has grown by ${grown} MiB`);
});
