import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { systemClock } from '../../src/shared/kernel/system-clock.js';
import { operationKinds } from '../../src/shared/model/operation.js';
import { greetAgent } from '../../src/shared/wire/dial-agent.js';
import { eventually } from '../support/eventually.js';
import { FleetRun } from '../support/fleet-run.js';
import { operationsPerSecond } from '../support/hasty-load.js';
import { Program } from '../support/program.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { longestTurnMs, readTurns, turnsFile } from '../support/turns.js';

/** As many as an agent keeps for a controller that is not there. */
const seconds = 1000;
const patienceMs = 400_000;
const skip = existsSync('/proc/thread-self/schedstat')
  ? false
  : 'needs the CPU time of a thread, /proc/…/schedstat';

/** A run of a thousand seconds with every operation, of an agent whose second lasts some milliseconds. */
async function heavyRun(t: TestContext) {
  const folder = temporaryFolder();
  const turns = path.join(folder.path, 'turns');
  const env = { [turnsFile]: turns, MUSTER_TEST_SECONDS: String(seconds) };
  const hasty = new URL('../support/hasty-agent.js', import.meta.url);
  const agent = new Program(hasty, [path.join(folder.path, 'spool')], env);
  const programs = [agent];
  const port = Number((await agent.waitFor(/listening on [^:]*:(\d+)/))[1]);
  const proxy = await TcpProxy.start({ port });
  const controller = (...argv: string[]): Program => {
    const program = new Program('bench-controller', argv, env);
    programs.push(program);
    return program;
  };
  t.after(async () => {
    for (const program of programs) await program.stop();
    await proxy.close();
    folder.remove();
  });
  const target = path.join(folder.path, 'target');
  mkdirSync(target);
  const config = path.join(folder.path, 'config.json');
  writeFileSync(
    config,
    JSON.stringify({
      agents: [{ id: 'agent-1', address: proxy.address }],
      target,
      dataset: { files: 10, file_size: '1MiB' },
      stages: [
        {
          name: 'all',
          mix: Object.fromEntries(operationKinds.map((kind) => [kind, 1])),
          block_size: '4KiB',
          max_operations: 1e9,
        },
      ],
      timeouts: { reconnect_window: '10m', lease: '11m', collect: '5m', hung_after: '9m' },
    }),
  );
  const results = path.join(folder.path, 'results');
  const argv = ['run', config, '--results', results, '--progress', 'json', '--ui', ':0'];
  const run = new FleetRun(controller(...argv), config, results);
  const page = (await run.waitFor(/The run is shown at (\S+)/))[1] ?? '';
  await run.loaded();
  proxy.refuse(true);
  proxy.reset();
  const address = { host: '127.0.0.1', port };
  const dial = { address, connectMs: patienceMs, helloMs: patienceMs, clock: systemClock };
  await eventually('the agent has done its work', patienceMs, async () => {
    const { state } = await greetAgent(dial, new AbortController().signal);
    return state === 'COMPLETED' ? true : undefined;
  });
  const check = (): void => {
    const { stages, measurement } = run.summary();
    const counts = operationKinds.map((kind) => stages[0]?.operations[kind]?.count);
    assert.deepEqual(new Set(counts), new Set([seconds * operationsPerSecond]));
    assert.equal(measurement.missing_intervals, 0);
  };
  /** The programs have ended. */
  const checkTurns = async (): Promise<void> => {
    agent.kill('SIGTERM');
    await agent.ended;
    const noted = readTurns(turns);
    const found = programs.map(({ pid }) => noted.find((turn) => turn.pid === pid));
    const shown = found.map((turn) => `${turn?.program}: ${turn?.longestMs.toFixed(0)} ms`);
    t.diagnostic(`longest turns, in CPU time: ${shown.join(', ')}`);
    for (const turn of found) assert.ok(turn && turn.longestMs < longestTurnMs, shown.join(', '));
  };
  return { run, page, proxy, controller, check, checkTurns };
}

test(
  '[RPC-04] no turn of either control loop is longer than 300 ms: a thousand seconds of every operation are filled in, shown and written',
  { skip },
  async (t) => {
    const { run, page, proxy, check, checkTurns } = await heavyRun(t);
    proxy.heal();
    let pages = 0;
    const browse = async (): Promise<never> => {
      for (;;) {
        await (await fetch(page)).text();
        pages += 1;
      }
    };
    // It ends with the run: the page is gone then.
    const browsing = assert.rejects(browse(), TypeError);
    await run.exits(0);
    await browsing;
    assert.ok(pages > 1, `${pages} pages`);
    check();
    await checkTurns();
  },
);

test(
  '[RPC-04] no turn of either control loop is longer than 300 ms: the checkpoint of a thousand seconds is fetched',
  { skip },
  async (t) => {
    const { run, proxy, controller, check, checkTurns } = await heavyRun(t);
    // The second one ends the controller at once: what the agent has, it still has.
    run.program.kill('SIGTERM');
    await run.waitFor(/aborting all agents/);
    run.program.kill('SIGTERM');
    await run.exits(130);
    proxy.heal();
    const recover = controller('recover', run.folder);
    await recover.ended;
    assert.match(recover.output, /checkpoint fetched, \d+s of load/);
    check();
    await checkTurns();
  },
);
