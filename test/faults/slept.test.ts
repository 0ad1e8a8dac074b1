import assert from 'node:assert/strict';
import path from 'node:path';
import { suite, test } from 'node:test';
import { cpuSecondsDuring, processGone } from '../support/agent-process.js';
import { deadMansSwitchMs, Fleet, workloadProcess } from '../support/fleet.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const shortLease = { ping_after: '2s', hung_after: '1s', reconnect_window: '2s', lease: '4s' };
/** A process that runs when it is told to stop may do so until its next tick. */
const stoppingS = 0.03;

suite('a controller, or all of a fleet, slept longer than the lease', { concurrency: 2 }, () => {
  test('[RUN-10] [LINK-06] a controller that slept longer than the lease says that its agents gave the run up, and has what they kept: exit 5', async (t) => {
    const folder = temporaryFolder();
    t.after(() => {
      folder.remove();
    });
    const fleet = await Fleet.start(t, { argv: ['--spool', path.join(folder.path, 'spool')] });
    const proxy = await TcpProxy.start({ port: fleet.agent(1).port });
    t.after(() => proxy.close());
    const run = fleet.run({ seconds: 60, through: { 1: proxy.address } });
    await run.loaded();
    run.program.kill('SIGSTOP');
    // What agent-2 still says is lost with its connection, as after an hour of sleep.
    proxy.blackhole('down');
    await Promise.all(fleet.agents.map((agent) => fleet.idle(agent, deadMansSwitchMs)));
    proxy.healNew();
    proxy.reset();
    run.program.kill('SIGCONT');
    await run.exits(5);
    const why = 'nothing was heard of the controller for 8s \\(lease\\)';
    assert.match(run.said, new RegExp(`Agent agent-[13] gave the run up: ${why}`));
    assert.match(
      run.said,
      new RegExp(`Agent agent-2 is lost: it let go of run \\w+ at \\d\\d:\\d\\d UTC: ${why}`),
    );
    assert.doesNotMatch(run.said, /restarted|not reached|bench-controller recover/);
    for (const { id } of fleet.agents) {
      assert.equal(run.agent(id).missing_seconds, 0);
      // It went on until its lease was over, and the controller was stopped soon after the first second.
      const last = run.intervals().findLast(({ agent }) => agent === id);
      assert.ok(Number(last?.['second']) >= 6, `${id}: ${JSON.stringify(last)}`);
    }
    run.checkSums();
  });

  test('[RUN-10] [RUN-27] controller and agents that all slept longer than the lease: the workload processes ended by themselves, not for want of memory', async (t) => {
    const fleet = await Fleet.start(t);
    const run = fleet.run({ seconds: 60, timeouts: shortLease });
    await run.loaded();
    const workloads = await Promise.all(fleet.agents.map((agent) => workloadProcess(agent, run)));
    const all = [run.program.pid, ...fleet.agents.map(({ program }) => program.pid), ...workloads];
    for (const pid of all) process.kill(pid, 'SIGSTOP');
    // The lease and the 5 s of the workload process behind it.
    assert.ok((await cpuSecondsDuring(run.program.pid, 11_000)) <= stoppingS);
    // The watchdogs first: an agent that has seen that the lease is over ends its workload process in an orderly way.
    for (const pid of workloads) process.kill(pid, 'SIGCONT');
    await Promise.all(workloads.map((pid) => processGone(pid)));
    for (const pid of all.slice(0, -workloads.length)) process.kill(pid, 'SIGCONT');
    await run.exits(5);
    assert.match(
      run.said,
      /Agent agent-\d gave the run up: the workload process ended by itself, because its lease was not renewed in time/,
    );
    assert.doesNotMatch(run.said, /out of memory|restarted|not reached/);
    run.checkSums();
  });
});
