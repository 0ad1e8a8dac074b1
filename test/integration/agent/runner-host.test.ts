import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { RunnerEvent } from '../../../src/agent/runner/protocol.js';
import { RunnerHost } from '../../../src/agent/shell/runner-host.js';
import type { RunnerExit } from '../../../src/agent/core/session-io.js';
import { assignmentOf } from '../../support/agent-driver.js';

const entry = fileURLToPath(new URL('../../support/fake-runner.js', import.meta.url));

/** One host, and what came of it in the order it came. */
class Watched {
  readonly events: RunnerEvent[] = [];
  readonly lines: string[] = [];
  readonly host: RunnerHost;
  exit: RunnerExit | undefined;
  #wake: () => void = () => undefined;

  constructor(path = entry) {
    this.host = new RunnerHost({
      entry: path,
      env: process.env,
      log: (_, line) => {
        this.lines.push(line);
        this.#wake();
      },
      onEvent: (_, event) => {
        assert.equal(this.exit, undefined, 'no event comes after the exit');
        this.events.push(event);
        this.#wake();
      },
      onExit: (_, exit) => {
        assert.equal(this.exit, undefined, 'the exit comes once');
        this.exit = exit;
        this.#wake();
      },
    });
  }

  start(target: string): this {
    this.host.fork(1, 0);
    const assignment = assignmentOf({ target });
    this.host.send(1, { kind: 'prepare', assignment, roots: [] });
    return this;
  }

  /** Waits until `seen` holds, looking after everything that comes. */
  async until<T>(seen: () => T | undefined): Promise<T> {
    for (;;) {
      const found = seen();
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

test('commands and events pass with 64-bit instants as they are', async () => {
  const runner = new Watched().start('ready');
  await runner.until(() => runner.events.find(({ kind }) => kind === 'ready'));
  runner.host.send(1, { kind: 'go', stage: 0, epoch: 1 });
  const started = await runner.until(() => runner.events.find(({ kind }) => kind === 'started'));
  assert.equal('atNs' in started && started.atNs, 2n ** 62n);
  runner.host.send(1, { kind: 'quit' });
  assert.deepEqual(await runner.until(() => runner.exit), { code: 0, signal: null });
});

test('[RUN-27] a workload process that is killed is seen to end by that signal', async () => {
  const runner = new Watched().start('ready');
  await runner.until(() => runner.events.at(0));
  runner.host.kill(1);
  assert.deepEqual(await runner.until(() => runner.exit), { code: null, signal: 'SIGKILL' });
  runner.host.kill(1);
  runner.host.send(1, { kind: 'quit' });
});

test('[RUN-27] what a workload process says with its last breath comes before its end', async () => {
  const runner = new Watched().start('last');
  assert.deepEqual(await runner.until(() => runner.exit), { code: 3, signal: null });
  const last = runner.events.at(-1);
  assert.equal(last?.kind === 'report' && last.operations, 1_000_000);
});

test('[RUN-27] what a workload process prints is in the log', async () => {
  const runner = new Watched().start('print');
  await runner.until(() =>
    runner.lines.find((l) => l === 'workload process: something went wrong'),
  );
  runner.host.kill(1);
  await runner.until(() => runner.exit);
});

test('[RPC-01] the workload process is another process, first to go when memory runs out', async () => {
  const runner = new Watched().start('ready');
  await runner.until(() => runner.events.at(0));
  const pid = Number(/workload process (\d+) started/.exec(runner.lines.join())?.[1]);
  assert.ok(pid > 0 && pid !== process.pid);
  if (process.platform === 'linux') {
    assert.equal(readFileSync(`/proc/${String(pid)}/oom_score_adj`, 'utf8').trim(), '500');
  }
  runner.host.kill(1);
  await runner.until(() => runner.exit);
});

test('[RUN-27] what a killed workload process has left among the temporary files is removed', async () => {
  for (const end of ['killed', 'abandoned'] as const) {
    const runner = new Watched().start('litter,ready');
    await runner.until(() => runner.events.find(({ kind }) => kind === 'ready'));
    const left = runner.events.find((event) => event.kind === 'log')?.line ?? '';
    assert.ok(existsSync(path.join(left, 'in/it')));
    if (end === 'killed') {
      runner.host.kill(1);
      await runner.until(() => runner.exit);
    } else runner.host.abandonAll();
    await runner.host.removed();
    assert.ok(!existsSync(path.dirname(left)), end);
    assert.ok(existsSync(tmpdir()));
  }
});

test('a workload process whose program is missing ends as a crash', async () => {
  const runner = new Watched(`${entry}.missing`).start('ready');
  const exit = await runner.until(() => runner.exit);
  assert.equal(exit.code, 1);
});
