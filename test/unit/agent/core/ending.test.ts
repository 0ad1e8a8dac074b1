import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AgentDriver,
  runId,
  assignmentOf,
  intervalOf,
  resultOf,
} from '../../../support/agent-driver.js';
import type { Assignment } from '../../../../src/shared/model/assignment.js';
import type { OperationStats } from '../../../../src/shared/model/messages.js';

const abort = { kind: 'abort', reason: 'Ctrl-C' } as const;

function reads(count: number, service: number[]): OperationStats {
  return {
    operation: 'read',
    count,
    bytes: count * 4096,
    errors: [{ code: 'EIO', count: 1 }],
    missedSchedules: 0,
    unissuedSchedules: 0,
    service: Uint8Array.from(service),
    response: new Uint8Array(),
    failed: Uint8Array.from([9]),
  };
}

function report(inFlight: number) {
  const ages = { oldestInFlightNs: 1, rssBytes: 7, operations: 30 };
  return { kind: 'report', inFlight, ...ages } as const;
}

/** Two intervals, then three operations that hang. */
function stalled(overrides?: Partial<Assignment>): AgentDriver {
  const agent = new AgentDriver().running(overrides);
  agent.runner({ kind: 'interval', ...intervalOf({ operations: [reads(10, [1, 2])] }) });
  const second = { first: 1, last: 1, operations: [reads(30, [3])], inFlight: 2 };
  agent.runner({ kind: 'interval', ...intervalOf(second) });
  return agent.runner(report(3));
}

test('an abort that the workload process carries out ends with its own result and ABORTED', () => {
  const agent = stalled().receive(abort);
  assert.deepEqual(agent.ordered('abort'), [{ ...abort, graceMs: 2000 }]);
  assert.equal(agent.session.state, 'RUNNING');
  agent.runner({ kind: 'interval', ...intervalOf({ first: 2, last: 2 }) });
  agent.runner({ kind: 'stageResult', ...resultOf({ endedBy: 'aborted' }) });
  agent.runner({ kind: 'aborted', reason: 'Ctrl-C' });
  assert.equal(agent.session.state, 'ABORTED');
  assert.equal(agent.sent('interval').length, 3, 'what is sampled while it stops still counts');
  assert.deepEqual(
    agent.sent('stageResult').map(({ endedBy }) => endedBy),
    ['aborted'],
  );
  assert.equal(agent.effects('killRunner').length, 0);
  assert.equal(agent.ordered('quit').length, 1);
});

test('[RUN-27] a workload process that ended is not waited for: the agent is free for the next run, for good', () => {
  const agent = stalled().receive(abort).advance(2_600).runnerExits({ signal: 'SIGKILL' });
  agent.receive({ kind: 'goodbye', reason: 'done' });
  assert.equal(agent.session.owner, undefined);
  agent.advance(60_000);
  assert.equal(agent.effects('killRunner').length, 1, 'there is nothing to kill any more');
  assert.equal(agent.session.wakeAt(), undefined);
  agent.open({ runId: 'next' });
  assert.equal(agent.effects('refuse').length, 0);
});

test('[RUN-27] a workload process that waits for the cleanup and does not report is told to quit, and killed', () => {
  const agent = new AgentDriver().completed().advance(119_900);
  assert.equal(agent.ordered('quit').length, 0);
  agent.advance(300);
  assert.equal(agent.ordered('quit').length, 1);
  assert.equal(agent.session.state, 'COMPLETED');
  agent.advance(1_100);
  assert.equal(agent.effects('killRunner').length, 1);
  assert.equal(agent.sent('error').length, 0, 'the results are there');
});

test('a workload process that ends between the run and its cleanup is said in the log', () => {
  const agent = new AgentDriver().completed().runnerExits({ code: 3 });
  assert.equal(agent.session.state, 'COMPLETED');
  assert.match(agent.lines().at(-1) ?? '', /^workload process exited with code 3/);
});

test('an abort that is not answered ends with SIGKILL and the totals reported until then', () => {
  const agent = stalled().receive(abort).advance(2_400);
  assert.equal(agent.effects('killRunner').length, 0);
  agent.advance(200);
  assert.equal(agent.effects('killRunner').length, 1);
  assert.equal(agent.session.state, 'RUNNING');
  agent.runnerExits({ signal: 'SIGKILL' });
  assert.equal(agent.session.state, 'ABORTED');
  assert.deepEqual(agent.sent('stageResult'), [
    {
      kind: 'stageResult',
      stage: 0,
      endedBy: 'killed',
      atNs: 5_000_000_000n,
      firstOperationNs: 5_000_000_100n,
      lastOperationNs: 7_000_000_000n,
      intervals: 2,
      abandoned: 3,
      operations: [
        { ...reads(30, [1, 2, 3]), failed: Uint8Array.from([9, 9]), response: new Uint8Array() },
      ],
      mechanism: '',
      warmup: [],
      warnings: ['Ctrl-C'],
      endedNs: 0n,
      syncs: new Uint8Array(),
    },
  ]);
  assert.equal(agent.sent('error').length, 0);
  assert.equal(agent.sent('final').length, 1);
});

test('[RUN-01] a workload process that has not started up yet at an abort gets more time to say what it finds wrong', () => {
  const message = 'target /srv does not exist';
  const late = new AgentDriver().open().prepare().receive(abort).advance(3_900);
  assert.equal(late.effects('killRunner').length, 0);
  late.runner({ kind: 'failed', code: 'target', message });
  assert.deepEqual(late.sent('error'), [{ kind: 'error', code: 'target', message }]);
  const never = new AgentDriver().open().prepare().receive(abort).advance(4_100);
  assert.equal(never.effects('killRunner').length, 1);
  assert.match(
    never.sent('log').at(-1)?.line ?? '',
    /had not started up .* is not known; "bench-controller check" tells$/,
  );
  const early = new AgentDriver().open().prepare().runner(report(0)).receive(abort).advance(2_600);
  assert.equal(early.effects('killRunner').length, 1);
});

test('seconds of a drain in which nothing ended do not count as work of a process that had to be killed', () => {
  const one = assignmentOf().stages.slice(0, 1);
  const agent = stalled({ stages: one }).runner({ kind: 'draining', stage: 0 });
  for (let second = 2; second < 32; second += 1) {
    const operations = [{ ...reads(30, []), failed: new Uint8Array() }];
    agent.runner({ kind: 'interval', ...intervalOf({ first: second, last: second, operations }) });
    agent.advance(1_000);
  }
  agent.runnerExits({ signal: 'SIGKILL' });
  const [result] = agent.sent('stageResult');
  assert.equal(result?.endedBy, 'drained');
  assert.equal(result.intervals, 32);
  assert.equal(result.lastOperationNs, 7_000_000_000n);
});

test('a long abort time does not lengthen the grace of 2 s', () => {
  const timeouts = { ...assignmentOf().timeouts, abortMs: 60_000 };
  const agent = new AgentDriver().running({ timeouts }).receive(abort);
  assert.deepEqual(agent.ordered('abort'), [{ ...abort, graceMs: 2000 }]);
});

test('a short abort time shortens the grace, so that the kill still comes in time', () => {
  const timeouts = { ...assignmentOf().timeouts, abortMs: 1_000 };
  const agent = new AgentDriver().running({ timeouts }).receive(abort);
  assert.deepEqual(agent.ordered('abort'), [{ ...abort, graceMs: 400 }]);
  agent.advance(900);
  assert.equal(agent.effects('killRunner').length, 1);
});

test('[RUN-27] a workload process that outlives SIGKILL is reported stuck, and keeps the agent busy', () => {
  const agent = stalled().receive(abort).advance(4_600);
  assert.equal(agent.session.state, 'ABORTED');
  assert.equal(agent.sent('error')[0]?.code, 'stuck');
  assert.equal(agent.sent('stageResult').length, 1);
  agent.receive({ kind: 'goodbye', reason: 'done' });
  assert.equal(agent.session.state, 'IDLE');
  agent.open({ runId: 'next' });
  assert.match(agent.effects('refuse')[0]?.message ?? '', /cannot be killed/);
  agent.runnerExits({ signal: 'SIGKILL' });
  agent.open({ runId: 'next' });
  assert.equal(agent.session.owner?.runId, 'next');
});

test('[RUN-27] a workload process killed by the system fails the run with the reason and the totals', () => {
  const agent = stalled().runnerExits({ signal: 'SIGKILL' });
  const message = 'workload process was killed by SIGKILL (out of memory?)';
  assert.equal(agent.session.state, 'FAILED');
  assert.deepEqual(agent.sent('error'), [{ kind: 'error', code: 'killed', message }]);
  assert.deepEqual(agent.sent('final'), [{ kind: 'final', state: 'FAILED', reason: message }]);
  assert.equal(agent.sent('stageResult')[0]?.endedBy, 'killed');
  assert.equal(agent.sent('stageResult')[0]?.abandoned, 3);
});

test('[RUN-27] a workload process that exits in the middle of its work fails the run with its exit code', () => {
  const agent = new AgentDriver().open().prepare().runnerExits({ code: 70 });
  assert.deepEqual(agent.sent('error')[0], {
    kind: 'error',
    code: 'crashed',
    message: 'workload process exited with code 70 in the middle of its work',
  });
  assert.equal(agent.sent('stageResult').length, 0);
  const notStarted = new AgentDriver().open().prepare().runnerExits({ failure: 'spawn EAGAIN' });
  assert.equal(
    notStarted.sent('error')[0]?.message,
    'workload process could not be started: spawn EAGAIN',
  );
});

test('[RUN-27] a silent workload process shows in the heartbeats, then it is killed and the run FAILED', () => {
  const agent = stalled().advance(4_100);
  // The one after the last interval came 1.1 s after it.
  assert.equal(agent.sent('heartbeat').at(-1)?.runnerSilenceNs, 4.1e9);
  agent.advance(115_000);
  assert.equal(agent.effects('killRunner').length, 0);
  agent.receive({ kind: 'lease', count: 1 }).advance(2_000);
  assert.equal(agent.effects('killRunner').length, 1);
  agent.runnerExits({ signal: 'SIGKILL' });
  const message = 'workload process has not reported for 120s: killed';
  assert.deepEqual(agent.sent('error'), [{ kind: 'error', code: 'stuck', message }]);
  assert.equal(agent.session.state, 'FAILED');
  assert.equal(agent.sent('stageResult')[0]?.abandoned, 3);
});

test('reports that were buffered while the agent was frozen count before its silence is judged', () => {
  const agent = stalled().freeze(130_000).tick();
  agent.receive({ kind: 'lease', count: 1 }).runner(report(1)).advance(5_000);
  assert.equal(agent.effects('killRunner').length, 0);
});

test('[RUN-09] what a workload process said to an abort while the agent was frozen counts before it is killed', () => {
  const agent = stalled().receive(abort).freeze(3_000).tick();
  assert.equal(agent.effects('killRunner').length, 0);
  agent.runner({ kind: 'stageResult', ...resultOf({ endedBy: 'aborted' }) });
  agent.runner({ kind: 'aborted', reason: 'Ctrl-C' }).advance(500);
  assert.equal(agent.effects('killRunner').length, 0);
  assert.equal(agent.sent('stageResult')[0]?.endedBy, 'aborted');
  const silent = stalled().receive(abort).freeze(3_000).tick().advance(200);
  assert.equal(silent.effects('killRunner').length, 1, 'it had nothing to say');
});

test('[RUN-07] a result that came while the agent was frozen in the drain is one: nothing is abandoned, the run goes on', () => {
  const agent = new AgentDriver().draining().freeze(31_000).tick();
  agent.runner({ kind: 'stageResult', ...resultOf({ endedBy: 'duration' }) });
  agent.runner({ kind: 'ready', stage: 1 }).advance(1_000);
  assert.equal(agent.ordered('abort').length, 0);
  assert.deepEqual(agent.sent('stageResult'), [
    { kind: 'stageResult', ...resultOf({ endedBy: 'duration' }) },
  ]);
  assert.equal(agent.session.state, 'READY');
});

test('operations that hang after the end of the last stage are abandoned, and the run completes', () => {
  const one = assignmentOf().stages.slice(0, 1);
  // Not the default, which would hide that `timeouts.drain` is ignored.
  const timeouts = { ...assignmentOf().timeouts, drainMs: 21_000 };
  const agent = new AgentDriver().draining({ stages: one, timeouts }).runner(report(3));
  agent.advance(20_900);
  assert.equal(agent.ordered('abort').length, 0);
  agent.advance(200);
  assert.equal(agent.ordered('abort')[0]?.graceMs, 0, 'they had all the time they get');
  agent.runner({ kind: 'stageResult', ...resultOf({ endedBy: 'aborted', abandoned: 3 }) });
  agent.runner({ kind: 'aborted', reason: '' });
  assert.deepEqual(agent.sent('stageResult'), [
    { kind: 'stageResult', ...resultOf({ endedBy: 'drained', abandoned: 3 }) },
  ]);
  assert.equal(agent.sent('final')[0]?.state, 'COMPLETED');
  agent.receive({ kind: 'cleanup' });
  assert.equal(agent.effects('forkRunner').length, 2, 'a new workload process cleans up');
  assert.equal(agent.ordered('prepare').at(-1)?.assignment.mode, 'cleanup');
});

test('[MEAS-06] threads that got no CPU in the drain are said to be the reason, not the storage; nor is the storage where nothing is known', () => {
  const stages = assignmentOf().stages.slice(0, 1);
  const warningOf = (runnableThreads: number, silentMs = 2000): string => {
    const agent = new AgentDriver().draining({
      stages: stages.map((s) => ({ ...s, threads: 64 })),
    });
    agent.advance(30_000 - silentMs).runner({ ...report(40), runnableThreads });
    agent.advance(silentMs + 100);
    return agent.sent('log').at(-1)?.line ?? '';
  };
  const still = 'operations were still in flight 30s after the end of the stage';
  assert.equal(warningOf(20), `${still} (20 threads want a CPU: host overloaded?)`);
  assert.equal(warningOf(19), `${still} (storage stalled?)`);
  const silent = /its workload process does not report: stopped, no CPU for it, or stuck/;
  assert.match(warningOf(19, 4000), silent);
});

test('[MEAS-06] a heartbeat tells of threads that want a CPU when they are half of those with an operation', () => {
  const { stages } = assignmentOf();
  const toldOf = (runnableThreads: number): number | undefined => {
    const agent = new AgentDriver().running({ stages: stages.map((s) => ({ ...s, threads: 8 })) });
    agent.runner({ ...report(8), runnableThreads }).advance(1000);
    return agent.sent('heartbeat').at(-1)?.starvedThreads;
  };
  assert.equal(toldOf(3), 0);
  assert.equal(toldOf(4), 4);
});

test('[MEAS-06] threads of a later stage are judged by how many it has, not by those of the first', () => {
  const [one] = assignmentOf().stages;
  assert.ok(one);
  const stages = [4, 64].map((threads, index) => ({ ...one, index, threads }));
  const agent = new AgentDriver().running({ stages }).runner({ kind: 'draining', stage: 0 });
  agent.runner({ kind: 'stageResult', ...resultOf() }).runner({ kind: 'ready', stage: 1 });
  agent.receive({ kind: 'start', stage: 1, epoch: 1, atNs: 9_000_000_000n });
  agent.runner({ kind: 'armed', stage: 1, epoch: 1 }).receive({ kind: 'go', stage: 1, epoch: 1 });
  const started = { stage: 1, epoch: 1, firstOperationNs: 1n, atNs: 1n };
  agent.runner({ kind: 'started', ...started });
  const told = (runnableThreads: number): number | undefined => {
    agent.runner({ ...report(64), runnableThreads }).advance(1000);
    return agent.sent('heartbeat').at(-1)?.starvedThreads;
  };
  assert.equal(told(31), 0);
  assert.equal(told(32), 32);
});

test('a workload process that hangs with its operations at the end of the last stage is killed', () => {
  const one = assignmentOf().stages.slice(0, 1);
  const agent = new AgentDriver().draining({ stages: one }).runner(report(3)).advance(30_600);
  assert.equal(agent.effects('killRunner').length, 1);
  agent.runnerExits({ signal: 'SIGKILL' });
  assert.equal(agent.sent('stageResult')[0]?.endedBy, 'drained');
  assert.equal(agent.sent('stageResult')[0]?.abandoned, 3);
  assert.equal(agent.sent('final')[0]?.state, 'COMPLETED');
});

test('operations that hang after an earlier stage fail the agent, whose workload process has to go', () => {
  const agent = new AgentDriver().draining().advance(30_600).runnerExits({ signal: 'SIGKILL' });
  assert.equal(agent.sent('error')[0]?.code, 'stuck');
  assert.equal(agent.sent('final')[0]?.state, 'FAILED');
});

test('a failure that the workload process reports fails the run with its own words', () => {
  const message = 'no space left in /data: free some or make the dataset smaller';
  const agent = new AgentDriver()
    .open()
    .prepare()
    .runner({ kind: 'failed', code: 'space', message });
  assert.deepEqual(agent.sent('error'), [{ kind: 'error', code: 'space', message }]);
  assert.equal(agent.session.state, 'FAILED');
  assert.equal(agent.ordered('quit').length, 1);
  agent.runnerExits({ code: 0 });
  assert.equal(agent.sent('error').length, 1);
});

test('[RUN-05] what is wrong with the target of an agent is its own failure, also when others’ had the run aborted', () => {
  const message = '/data/ds is not empty';
  const failed = { kind: 'failed', code: 'dataset', message } as const;
  const agent = new AgentDriver().open().prepare().receive(abort).runner(failed);
  assert.deepEqual(agent.sent('error'), [{ kind: 'error', code: 'dataset', message }]);
  assert.equal(agent.sent('final')[0]?.state, 'FAILED');
  const later = new AgentDriver().ready().receive(abort).runner(failed);
  assert.equal(later.sent('final')[0]?.state, 'ABORTED');
});

test('what an aborted run has made of its dataset is told before its last word', () => {
  const agent = new AgentDriver().open().prepare().receive(abort).runner({ kind: 'marked' });
  assert.equal(agent.sent('marked').length, 1);
  assert.equal(agent.sent('final').length, 0);
});

test('an assignment that cannot be read, or is of another run, fails the run and starts nothing', () => {
  const agent = new AgentDriver({
    parseAssignment: () => {
      throw new Error('stages.0.threads: expected a number');
    },
  });
  agent.open().prepare();
  assert.equal(
    agent.sent('error')[0]?.message,
    'assignment refused: stages.0.threads: expected a number',
  );
  assert.equal(agent.effects('forkRunner').length, 0);
  assert.equal(agent.session.state, 'FAILED');
  const other = new AgentDriver().open().prepare({ runId: 'other' });
  assert.equal(other.sent('error')[0]?.code, 'config');
  assert.equal(other.effects('forkRunner').length, 0);
});

test('a workload process told to quit that does not is killed, and the next run does not wait for it', () => {
  const agent = new AgentDriver().completed();
  const first = agent.lastRunner;
  agent.receive({ kind: 'goodbye', reason: 'done' });
  agent.open({ runId: 'next' }).prepare({ runId: 'next' });
  assert.equal(agent.session.state, 'PREPARING');
  agent.advance(2_000);
  assert.deepEqual(agent.effects('killRunner'), [{ kind: 'killRunner', runner: first }]);
  agent.runnerExits({ signal: 'SIGKILL' }, first);
  assert.equal(agent.session.state, 'PREPARING', 'its end is not taken for the new one’s');
});

test('[RUN-27] a workload process told to quit that outlives SIGKILL keeps the agent busy', () => {
  const agent = new AgentDriver().completed().receive({ kind: 'goodbye', reason: 'done' });
  agent.advance(3_100).open({ runId: 'next' });
  assert.match(agent.effects('refuse')[0]?.message ?? '', /cannot be killed/);
  assert.equal(agent.session.wakeAt(), undefined, 'nothing more is tried');
});

test('a run that is being aborted does not change state on what its workload process gets done', () => {
  const agent = new AgentDriver().ready();
  agent.receive({ kind: 'start', stage: 0, epoch: 1, atNs: 1n }).receive(abort);
  agent.runner({ kind: 'armed', stage: 0, epoch: 1 });
  assert.equal(agent.session.state, 'READY');
  assert.equal(agent.sent('armed').length, 0);
});

test('[RUN-10] a run that is recovered is aborted like any other, leaves the agent, and is not delivered', () => {
  const agent = stalled();
  agent.input({ kind: 'recovered', runId: 'another', reason: 'recover' });
  assert.equal(agent.ordered('abort').length, 0);
  agent.input({ kind: 'recovered', runId, reason: 'recover' });
  assert.equal(agent.ordered('abort').length, 1);
  assert.deepEqual(
    agent.effects('closeStream').map(({ goodbye }) => goodbye),
    [true],
  );
  agent.runner({ kind: 'stageResult', ...resultOf({ endedBy: 'aborted' }) });
  agent.runner({ kind: 'aborted', reason: 'recover' });
  assert.equal(agent.session.state, 'IDLE');
  assert.equal(agent.sent('final')[0]?.state, 'ABORTED');
  assert.deepEqual(
    agent.effects('released').map(({ delivered }) => delivered),
    [false],
  );
});

test('[STAT-02] a spool that is not written is said to the controller, and in the results', () => {
  const agent = new AgentDriver().running();
  agent.input({ kind: 'unspooled', line: 'No spool is written' });
  assert.deepEqual(
    agent.sent('log').map(({ line, inResults }) => [line, inResults]),
    [['No spool is written', true]],
  );
  assert.ok(agent.lines().includes('No spool is written'));
  agent.runner({ kind: 'stageResult', ...resultOf({ warnings: ['own'] }) });
  assert.deepEqual(agent.sent('stageResult')[0]?.warnings, ['own', 'No spool is written']);
});

test('a run is delivered when its controller has acknowledged everything and says goodbye', () => {
  for (const flushed of [true, false]) {
    const agent = new AgentDriver().completed();
    if (flushed) agent.input({ kind: 'flushed' });
    agent.receive({ kind: 'goodbye', reason: 'done' });
    assert.deepEqual(
      agent.effects('released').map(({ delivered }) => delivered),
      [flushed],
    );
  }
});

test('[RUN-18] a run whose controller could not write it is not delivered, although it has everything', () => {
  const agent = new AgentDriver().completed().input({ kind: 'flushed' });
  agent.receive({ kind: 'goodbye', reason: 'done', keep: true });
  assert.deepEqual(
    agent.effects('released').map(({ delivered }) => delivered),
    [false],
  );
});

test('[RUN-27] how a workload process ended that was not asked to is told in words', () => {
  for (const [exit, words] of [
    [{ signal: 'SIGKILL' }, 'was killed by SIGKILL (out of memory?)'],
    [{ signal: 'SIGSEGV' }, 'was killed by SIGSEGV'],
    [{ code: 7 }, 'exited with code 7 in the middle of its work'],
    [{ failure: 'spawn EAGAIN' }, 'could not be started: spawn EAGAIN'],
  ] as const) {
    const agent = new AgentDriver().running().runnerExits(exit);
    assert.equal(agent.sent('error')[0]?.message, `workload process ${words}`);
  }
});
