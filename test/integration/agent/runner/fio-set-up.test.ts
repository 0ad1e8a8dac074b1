/** The set-up of a stage that fio runs, with a program in fio's place that does what a test says. */
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { filePath } from '../../../../src/agent/runner/dataset-layout.js';
import { Aborted } from '../../../../src/agent/runner/failure.js';
import type { FioStage } from '../../../../src/agent/runner/fio/fio-load.js';
import { checkFio } from '../../../../src/agent/runner/fio/preflight.js';
import { fioSeed } from '../../../../src/agent/runner/fio/seed.js';
import { setUpFio } from '../../../../src/agent/runner/fio/set-up-fio.js';
import type { RunnerParts } from '../../../../src/agent/runner/runner-parts.js';
import { eventually } from '../../../support/eventually.js';
import { assignedStage } from '../../../support/fio.js';
import { ManualClock } from '../../../support/manual-clock.js';
import { assignmentOf } from '../../../support/runner-process.js';
import { temporaryFolder } from '../../../support/temporary-folder.js';

/** As a thread of fio says that it is ready, and waits at the gate. */
const says = 'echo ready >&3';
const waits = 'read end <&4 || true';
const bothWait = `${says}; ${says}; ${waits}`;
const { PATH, TMPDIR } = process.env;

let folder: ReturnType<typeof temporaryFolder>;
let clock: ManualClock;
let abort: AbortController;

beforeEach(() => {
  folder = temporaryFolder();
  fs.mkdirSync(path.join(folder.path, 'tmp'));
  process.env['TMPDIR'] = path.join(folder.path, 'tmp');
  process.env['PATH'] = `${folder.path}:${PATH ?? ''}`;
  clock = new ManualClock();
  abort = new AbortController();
});

afterEach(() => {
  // What a test that failed has left.
  abort.abort();
  clock.advance(1000);
  process.env['PATH'] = PATH;
  if (TMPDIR === undefined) delete process.env['TMPDIR'];
  else process.env['TMPDIR'] = TMPDIR;
  folder.remove();
});

function fioDoes(...lines: readonly string[]): void {
  const version = 'if [ "$1" = --version ]; then echo fio-3.33; exit; fi';
  const script = ['#!/bin/sh', version, `cat >'${folder.path}/job'`, ...lines, ''].join('\n');
  fs.writeFileSync(path.join(folder.path, 'fio'), script, { mode: 0o755 });
}

function setUp(stage = assignedStage, fields: Parameters<typeof assignmentOf>[2] = {}) {
  const parts = { clock, signal: abort.signal } as unknown as RunnerParts;
  return setUpFio(parts, assignmentOf('/target', [stage], fields), stage);
}

/** Folders with the links to the files. */
function leftBehind(): readonly string[] {
  return fs.readdirSync(os.tmpdir());
}

async function endOf({ process: fio }: FioStage) {
  const end = await fio.ended;
  await eventually('links gone', 60_000, () => leftBehind().length === 0 || undefined);
  return end;
}

test('[ENG-02] fio is given the files of the stage, in the folders that they are in, and no longer than it lasts', async () => {
  fioDoes(`readlink f.* >'${folder.path}/links'`, bothWait);
  const directories = { width: 3, depth: 2 };
  const fio = await setUp(assignedStage, { dataset: { directories, use: { from: 2, to: 5 } } });
  const links = fs.readFileSync(path.join(folder.path, 'links'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    links,
    [2, 3, 4].map((file) => path.resolve(filePath(file, directories))),
  );
  assert.equal(leftBehind().length, 1);
  fio.process.letGo();
  assert.deepEqual(await endOf(fio), { code: 0, signal: null });
});

test('[MEAS-02] [ENG-02] the job that fio is given has the seed of its run, stage and agent', async () => {
  fioDoes(bothWait);
  for (const [seed, index, agentIndex] of [
    [7, 0, 0],
    [8, 0, 0],
    [7, 1, 0],
    [7, 0, 1],
  ] as const) {
    const fio = await setUp({ ...assignedStage, index }, { seed, agentIndex });
    const job = fs.readFileSync(path.join(folder.path, 'job'), 'utf8');
    assert.match(job, new RegExp(`^randseed=${String(fioSeed(seed, index, agentIndex))}$`, 'm'));
    fio.process.stop();
    await endOf(fio);
  }
});

test('[RUN-15] [ENG-02] a stage is not ready before all threads of fio are', async () => {
  fioDoes(says, 'exit 3');
  await assert.rejects(setUp(), {
    message: 'stage "s": fio cannot be set up: it ended with code 3',
  });
  fioDoes(says, says, 'exit 3');
  await endOf(await setUp());
});

test('[ENG-02] a thread of fio that cannot be set up fails the agent before the start, in fio’s words; the others are ended', async () => {
  // As fio 3.33 says it when the system has no room for another queue.
  const line =
    'fio: pid=8520, err=11/file:engines/libaio.c:485, func=io_queue_init, error=Resource temporarily unavailable';
  // The shell at the gate outlives fio, and has its output.
  fioDoes('trap "" INT', `(${waits}) &`, says, `echo '${line}'`, 'exec sleep 600 >&- 2>&-');
  await assert.rejects(setUp(), {
    name: 'RunnerFailure',
    code: 'target',
    message: `stage "s": fio cannot be set up: ${line}`,
  });
  await eventually('links gone', 60_000, () => leftBehind().length === 0 || undefined);
});

test('[ENG-02] a thread of fio that ends under load does not end the others', async () => {
  const line = 'fio: pid=8520, err=62/file:io_u.c:2007, func=max_latency, error=Timer expired';
  const seen = path.join(folder.path, 'seen');
  fioDoes(bothWait, `echo '${line}'`, `until [ -e '${seen}' ]; do sleep 0.05; done`);
  const fio = await setUp();
  fio.process.letGo();
  await eventually('line read', 60_000, () => fio.warnings.has(line) || undefined);
  fs.writeFileSync(seen, '');
  assert.deepEqual(await endOf(fio), { code: 0, signal: null });
});

test('[ENG-02] a fio that ends before it is ready fails the agent before the start', async () => {
  fioDoes('echo "fio: not today" >&2', 'exit 1');
  await assert.rejects(setUp(), {
    name: 'RunnerFailure',
    message: 'stage "s": fio cannot be set up: fio: not today',
  });
  fioDoes('kill -SEGV $$');
  await assert.rejects(setUp(), { message: 'stage "s": fio cannot be set up: SIGSEGV' });
});

test('[RUN-12] an abort during the set-up of fio ends it, also one that comes before it is there', async () => {
  fioDoes('trap "" INT', says, 'exec sleep 600');
  const settingUp = setUp();
  await eventually('fio started', 60_000, () =>
    fs.existsSync(path.join(folder.path, 'job')) ? true : undefined,
  );
  abort.abort();
  await assert.rejects(settingUp, Aborted);
  await assert.rejects(setUp(), Aborted);
  await eventually('links gone', 60_000, () => leftBehind().length === 0 || undefined);
  assert.equal(clock.armed, 0);
});

test('[RUN-09] an aborted fio has a second for its last words, and is killed after it', async () => {
  fioDoes('trap "echo last words; exit 7" INT', bothWait, 'echo begun >&2');
  // A shell heeds a signal when what it has started has ended.
  const heeds = `while :; do sleep 0.05; done`;
  fs.appendFileSync(path.join(folder.path, 'fio'), heeds);
  const heeding = await setUp();
  heeding.process.letGo();
  await eventually('fio under load', 60_000, () => heeding.warnings.has('begun') || undefined);
  abort.abort();
  assert.deepEqual(await endOf(heeding), { code: 7, signal: null });
  assert.ok(heeding.warnings.has('last words'));
  assert.equal(clock.armed, 0);

  abort = new AbortController();
  fioDoes('trap "" INT', bothWait, 'echo begun >&2', 'exec sleep 600');
  const deaf = await setUp();
  deaf.process.letGo();
  await eventually('fio under load', 60_000, () => deaf.warnings.has('begun') || undefined);
  abort.abort();
  clock.advance(999);
  assert.equal(clock.armed, 1);
  clock.advance(1);
  assert.deepEqual(await endOf(deaf), { code: null, signal: 'SIGKILL' });
});

test('[ENG-02] an engine that this host’s fio was built without is named', async () => {
  const script = '#!/bin/sh\n[ "$1" = --version ] && echo fio-3.33 || echo "psync libaio"\n';
  fs.writeFileSync(path.join(folder.path, 'fio'), script, { mode: 0o755 });
  const stage = { ...assignedStage, fio: { ioengine: 'io_uring' } };
  await assert.rejects(checkFio(assignmentOf('/target', [stage])), {
    message: 'stage "s": fio refuses it: it has no ioengine io_uring',
  });
  await checkFio(assignmentOf('/target', [{ ...stage, fio: { ioengine: 'libaio' } }]));
});
