import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually } from '../support/eventually.js';
import { deadMansSwitchMs, Fleet } from '../support/fleet.js';
import type { FleetRun } from '../support/fleet-run.js';
import type { Program } from '../support/program.js';
import type { Summary } from '../../src/controller/core/summary.js';
import { ResultsOfRun } from '../support/results-of-run.js';
import { fill, smallDisk } from '../support/small-disk.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { filesBelow, temporaryFolder } from '../support/temporary-folder.js';

/** A fleet whose agents keep their spools in one folder. */
async function spooled(t: TestContext): Promise<{ fleet: Fleet; spool: string }> {
  const folder = temporaryFolder();
  t.after(() => {
    folder.remove();
  });
  const spool = path.join(folder.path, 'spool');
  return { fleet: await Fleet.start(t, { argv: ['--spool', spool] }), spool };
}

async function killController(run: FleetRun): Promise<void> {
  run.program.kill('SIGKILL');
  await run.program.ended;
}

/** Some seconds of every agent are in the journal. */
async function journalled(run: FleetRun, agents: number): Promise<void> {
  await eventually('intervals of all agents on disk', 90_000, () =>
    run.records('interval').length > agents * 2 ? true : undefined,
  );
}

async function endsWith(program: Program, code: number): Promise<string> {
  assert.deepEqual(await program.ended, { code, signal: null }, program.output);
  return program.output;
}

/** The last result that each agent gave: the word of its own host. */
function lastWords(run: ResultsOfRun): { agent: number; count: number }[] {
  return run
    .records('stageResult')
    .map(({ agent, result }) => ({
      agent,
      count: result.operations.reduce((sum, { count }) => sum + count, 0),
    }))
    .sort((a, b) => a.agent - b.agent);
}

function onlySpoolWarning(run: ResultsOfRun): string {
  const warnings = run.summary().warnings.filter((line) => line.includes('No spool is written'));
  assert.equal(warnings.length, 1, run.summary().warnings.join('\n'));
  return warnings[0] ?? '';
}

suite('what a crash leaves on disks', { concurrency: 2 }, () => {
  test('of an agent', async (t) => {
    const { fleet, spool } = await spooled(t);
    const proxy = await TcpProxy.start({ port: fleet.agent(1).port });
    t.after(() => proxy.close());

    await t.test(
      '[LINK-06] an agent that is killed behind a dead link and started again gives the run what it had kept: exit 4',
      async () => {
        const run = fleet.run({
          seconds: 25,
          through: { 1: proxy.address },
          timeouts: { reconnect_window: '60s', hung_after: '60s', lease: '90s' },
        });
        await run.loaded();
        await journalled(run, 3);
        const known = run.records('interval').length;
        proxy.refuse(true);
        proxy.reset();
        await eventually('other agents report on', 60_000, () =>
          run.records('interval').length > known + 6 ? true : undefined,
        );
        fleet.agent(1).program.kill('SIGKILL');
        await fleet.agent(1).program.ended;
        const agent = await fleet.restart(1);
        assert.match(agent.program.output, /checkpoint available for run [0-9a-f]+ of /);
        const shown = fleet.controller(['agents', agent.address]);
        assert.match(await endsWith(shown, 0), /checkpoint available for run [0-9a-f]+ of /);
        proxy.heal();
        const [, seconds] = await run.waitFor(
          /Agent agent-2: checkpoint fetched, (\d+)s of load that had not arrived/,
        );
        assert.ok(Number(seconds) >= 2, `only ${seconds ?? ''} s were fetched`);
        await run.exits(4);
        assert.equal(run.agent('agent-2').state, 'FAILED');
        assert.equal(run.agent('agent-2').missing_seconds, 0);
        assert.ok(run.operationsOf('agent-2') > 0);
        run.checkSums();
        assert.equal(existsSync(path.join(run.folder, 'run.secret')), false);
        await eventually('nothing is kept any more', 30_000, () =>
          filesBelow(spool).length === 0 ? true : undefined,
        );
      },
    );
  });

  test('of the controller', async (t) => {
    const { fleet, spool } = await spooled(t);

    await t.test(
      '[RUN-10] recover from another host, while the disk of a controller takes nothing: its agents hear it, and the run goes on, exit 2',
      async () => {
        const run = fleet.run({ seconds: 20, timeouts: { lease: '30s' } });
        await run.loaded();
        // Nobody writes to the copy, and who drives the run cannot be looked at from here.
        const copy = path.join(path.dirname(run.config), 'copy');
        cpSync(run.folder, copy, { recursive: true });
        const secret = path.join(copy, 'run.secret');
        const kept = JSON.parse(readFileSync(secret, 'utf8')) as object;
        writeFileSync(secret, JSON.stringify({ ...kept, host: 'elsewhere.invalid' }));
        const output = await endsWith(fleet.controller(['recover', copy]), 2);
        assert.match(output, /goes on: its controller is connected to agent-1 and 2 more/);
        await run.exits(0);
        run.checkSums();
      },
    );

    await t.test(
      '[RUN-10] [LINK-12] the controller is killed: recover stops the load at once and gives the sums of the agents, exit 4',
      async () => {
        const run = fleet.run({ seconds: 60, timeouts: { reconnect_window: '60s', lease: '90s' } });
        await run.loaded();
        await journalled(run, 3);
        const early = fleet.controller(['recover', run.folder]);
        assert.match(await endsWith(early, 2), /goes on: process \d+ drives or recovers it/);
        await killController(run);
        assert.equal(lastWords(run).length, 0);
        const output = await endsWith(fleet.controller(['recover', run.folder]), 4);
        assert.match(output, /the controller stopped before the run ended; recovered from 3 of 3/);
        assert.match(
          output,
          /The dataset may still be on the agents: "bench-controller cleanup" with/,
        );
        // Its window is a minute: they did not end by themselves.
        for (const agent of fleet.agents) await fleet.idle(agent, 5_000);
        const words = lastWords(run);
        assert.deepEqual(
          words.map(({ agent }) => agent),
          [0, 1, 2],
        );
        for (const { agent, count } of words) {
          assert.equal(run.operationsOf(`agent-${agent + 1}`), count);
          assert.equal(run.agent(`agent-${agent + 1}`).missing_seconds, 0);
        }
        run.checkSums();
        for (const { link_metrics } of run.manifest().agents) {
          assert.ok((link_metrics?.agent?.checkpoint_bytes ?? 0) > 1000, 'from its spool');
          assert.ok((link_metrics?.agent?.checkpoints ?? 0) >= 1);
        }
        assert.deepEqual(filesBelow(spool), []);
        const summary = run.read('summary.json');
        const again = await endsWith(fleet.controller(['recover', run.folder]), 4);
        assert.match(again, /nothing to fetch from its agents/);
        assert.equal(run.read('summary.json'), summary);
        await endsWith(fleet.controller(['report', run.folder]), 0);
        assert.equal(run.read('summary.json'), summary);
      },
    );

    await t.test(
      '[LINK-06] an hour has not passed: the agents ended by themselves, work for another run, and still give the first one',
      async () => {
        const run = fleet.run({ seconds: 60 });
        await run.loaded();
        await journalled(run, 3);
        await killController(run);
        await Promise.all(fleet.agents.map((agent) => fleet.idle(agent, deadMansSwitchMs)));
        const other = fleet.run({ seconds: 20 });
        await other.loaded();
        // Who knows the run and not its secret gets nothing.
        const copy = path.join(path.dirname(run.folder), '..', 'copy');
        cpSync(run.folder, copy, { recursive: true });
        const secret = path.join(copy, 'run.secret');
        const kept = JSON.parse(readFileSync(secret, 'utf8')) as object;
        // Another process has the number of the one that drove the run, as may be after a reboot.
        const { pid } = process;
        writeFileSync(secret, JSON.stringify({ ...kept, secret: '0'.repeat(32), pid }));
        const refused = await endsWith(fleet.controller(['recover', copy]), 4);
        assert.match(refused, /no checkpoint of this run \(there is no checkpoint of run/);
        const output = await endsWith(fleet.controller(['recover', run.folder]), 4);
        assert.match(output, /recovered from 3 of 3 agents/);
        for (const { agent, count } of lastWords(run)) {
          assert.equal(run.operationsOf(`agent-${agent + 1}`), count);
        }
        run.checkSums();
        await other.exits(0);
        other.checkSums();
      },
    );

    await t.test(
      '[RUN-10] an agent that is frozen during recover is named, and recovered later, when it wakes up',
      async () => {
        const run = fleet.run({ seconds: 60 });
        await run.loaded();
        await journalled(run, 3);
        fleet.agent(2).program.kill('SIGSTOP');
        await killController(run);
        const first = fleet.controller(['recover', run.folder]);
        await eventually('the first one speaks for the run', 60_000, () =>
          run.read('run.secret').includes(`"pid":${first.pid}`) ? true : undefined,
        );
        assert.equal(statSync(path.join(run.folder, 'run.secret')).mode & 0o777, 0o600);
        const second = await endsWith(fleet.controller(['recover', run.folder]), 2);
        assert.match(second, new RegExp(`goes on: process ${first.pid} drives or recovers it`));
        const output = await endsWith(first, 4);
        assert.match(output, /Agent agent-3: its checkpoint cannot be fetched/);
        assert.match(output, /recovered from 2 of 3 agents/);
        assert.ok(existsSync(path.join(run.folder, 'run.secret')));
        fleet.agent(2).program.kill('SIGCONT');
        const later = await endsWith(fleet.controller(['recover', run.folder]), 4);
        assert.match(later, /Agent agent-3: checkpoint fetched/);
        assert.match(later, /recovered from 3 of 3 agents/);
        assert.doesNotMatch(later, /Agent agent-[12]/, 'what is here is not asked for again');
        assert.equal(existsSync(path.join(run.folder, 'run.secret')), false);
        assert.equal(lastWords(run).length, 3);
        run.checkSums();
      },
    );
  });

  test('[STAT-02] a spool on a full disk: one warning, the run goes on and its results say so, exit 0', async (t) => {
    const disk = await smallDisk(t, 'size=64k');
    if (disk === undefined) return;
    const fleet = await Fleet.start(t, { count: 1, argv: ['--spool', path.join(disk, 'spool')] });
    fill(disk);
    const run = fleet.run({ seconds: 3 });
    await run.exits(0);
    assert.match(onlySpoolWarning(run), /no space left on device/);
    run.checkSums();
    // Before it has given any result.
    const cutShort = fleet.run({ seconds: 60, timeouts: { reconnect_window: '1s' } });
    await cutShort.loaded();
    fleet.agent(0).program.kill('SIGKILL');
    await cutShort.exits(5);
    assert.match(onlySpoolWarning(cutShort), /no space left on device/);
    assert.doesNotMatch(cutShort.said, /may still be on its host/);
    cutShort.checkSums();
  });
});

test('[RUN-10] [RUN-18] [LINK-06] a disk that gets full during recover: the agents keep what they have, and recover can be repeated, exit 6 and then 4', async (t) => {
  const disk = await smallDisk(t, 'size=20m');
  if (disk === undefined) return;
  const { fleet, spool } = await spooled(t);
  const run = fleet.run({ seconds: 60, timeouts: { reconnect_window: '60s', lease: '90s' } });
  await run.loaded();
  await journalled(run, 3);
  await killController(run);
  cpSync(run.folder, path.join(disk, 'results', 'copy'), { recursive: true });
  const copy = new ResultsOfRun(path.join(disk, 'results'));
  // Room for the secret and a little of what the agents have.
  const filler = fill(disk);
  truncateSync(filler, statSync(filler).size - 8192);
  const output = await endsWith(fleet.controller(['recover', copy.folder]), 6);
  assert.match(
    output,
    /Cannot write results to .* \(disk full\)\.?\n.*keep them, for an hour: repeat/,
  );
  for (const agent of fleet.agents) await fleet.idle(agent, 5_000);
  assert.ok(filesBelow(spool).length >= 1, 'somebody has not given it');
  truncateSync(filler, 0);
  // The line that was torn is no record.
  const journal = path.join(copy.folder, 'journal.ndjson');
  const text = readFileSync(journal, 'utf8');
  if (!text.endsWith('\n')) writeFileSync(journal, text.slice(0, text.lastIndexOf('\n') + 1));
  const again = await endsWith(fleet.controller(['recover', copy.folder]), 4);
  assert.match(again, /recovered from 3 of 3 agents/);
  const words = lastWords(copy);
  assert.equal(words.length, 3);
  for (const { agent, count } of words) {
    assert.equal(copy.operationsOf(`agent-${agent + 1}`), count);
    assert.equal(copy.agent(`agent-${agent + 1}`).missing_seconds, 0);
  }
  copy.checkSums();
  assert.deepEqual(filesBelow(spool), []);
});

test('[RUN-10] [STAT-02] a spool that gets full before the controller is killed: recover says that what came after is lost, exit 4', async (t) => {
  const disk = await smallDisk(t, 'size=256k');
  if (disk === undefined) return;
  const fleet = await Fleet.start(t, { count: 1, argv: ['--spool', path.join(disk, 'spool')] });
  const run = fleet.run({ seconds: 60, timeouts: { reconnect_window: '60s', lease: '90s' } });
  await run.loaded();
  fill(disk);
  await run.waitFor(/No spool is written/);
  await killController(run);
  const output = await endsWith(fleet.controller(['recover', run.folder]), 4);
  const lost = /what it kept ends before its last words .*: what it did after that is lost/;
  assert.match(output, new RegExp(`WARNING: Agent agent-1: ${lost.source}`));
  assert.match(run.summary().reason ?? '', /recovered from 0 of 1 agent$/);
  assert.equal(run.agent('agent-1').state, 'FAILED');
  assert.ok(run.summary().warnings.some((line) => lost.test(line)));
  assert.ok(run.operationsOf('agent-1') > 0);
  run.checkSums();
  await fleet.idle(fleet.agent(0), 5_000);
});

test('[RUN-18] [LINK-06] a results disk that gets full during the run: the agents keep all of it, and recover makes the run whole, exit 6 and then 0', async (t) => {
  const disk = await smallDisk(t, 'size=20m');
  if (disk === undefined) return;
  const { fleet, spool } = await spooled(t);
  const parent = path.join(disk, 'results');
  const run = fleet.run({ seconds: 6, argv: ['--results', parent] });
  await run.loaded();
  const filler = fill(disk);
  await run.exits(6);
  const results = new ResultsOfRun(parent);
  assert.match(run.said, /The agents keep what they reported, for an hour; when the disk takes/);
  truncateSync(filler, 0);
  const report = await endsWith(fleet.controller(['report', results.folder]), 0);
  assert.match(
    report,
    /the journal ends before the run did \(disk full\); the run itself: completed/,
  );
  const output = await endsWith(fleet.controller(['recover', results.folder]), 0);
  for (const { id } of fleet.agents) {
    assert.match(output, new RegExp(`Agent ${id}: checkpoint fetched`));
    assert.equal(results.agent(id).state, 'COMPLETED');
    assert.equal(results.agent(id).missing_seconds, 0);
  }
  assert.equal(results.summary().outcome, 'completed');
  for (const { agent, count } of lastWords(results)) {
    assert.equal(results.operationsOf(`agent-${agent + 1}`), count);
  }
  results.checkSums();
  const last = run.program.stdout.trimEnd().split('\n').at(-1) ?? '';
  const printed = (JSON.parse(last) as { summary: Summary }).summary;
  assert.deepEqual(results.summary().stages[0]?.operations, printed.stages[0]?.operations);
  assert.deepEqual(filesBelow(spool), []);
});

test('[RUN-10] [LINK-06] an agent is killed with a full spool, its run ends without it, it is started again: recover gets what it had kept', async (t) => {
  const { fleet } = await spooled(t);
  const run = fleet.run({ seconds: 12, timeouts: { reconnect_window: '1s' } });
  await run.loaded();
  await journalled(run, 3);
  fleet.agent(1).program.kill('SIGKILL');
  await run.exits(4);
  assert.match(run.said, /What agent-2 reported last may still be on its host, for an hour: /);
  await fleet.restart(1);
  const output = await endsWith(fleet.controller(['recover', run.folder]), 4);
  assert.match(output, /Agent agent-2: checkpoint fetched, \d+s of load that had not arrived/);
  assert.equal(run.agent('agent-2').state, 'FAILED');
  run.checkSums();
});
