/** A dataset of very many small files, from its making to its removal, by real agents and a real controller. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Fleet } from './fleet.js';
import type { Program } from './program.js';
import { filesBelow } from './temporary-folder.js';

export interface ManyFiles {
  /** The most memory that a workload process has had, from its start until the load runs. */
  readonly peakBytes: number;
  /** Of the agents' own processes. */
  readonly agentPeakBytes: number;
  readonly prepareS: number;
  readonly cleanupS: number;
  /** Share of the work that was done, 0 … 1, as the live view has told it while files were made. */
  readonly progress: readonly number[];
}

/** A million files take half a minute where nobody else is at work, and took more than 90 s where many were. */
const preparePatienceMs = 30 * 60_000;

interface Told {
  readonly type: string;
  readonly phase: string;
  readonly elapsed_ms: number;
  readonly progress: number | null;
}

/**
 * Makes so many files, shared by all agents of the fleet, plants files of somebody else between them, ends the run by
 * Ctrl-C and cleans up: everything of Muster's must be gone then, and nothing else.
 */
export async function makeAndRemove(fleet: Fleet, files: number): Promise<ManyFiles> {
  const home = path.join(fleet.folder, `${files}-files`);
  mkdirSync(home);
  const run = fleet.run({
    dataset: {
      name: 'many',
      files,
      file_size: { uniform: ['1B', '4KiB'] },
      directories: { width: 20, depth: 1 },
      // Any other is prepared in memory, as much as there is to write, up to a few MiB.
      content: 'zero',
    },
    stages: [{ name: 'look', mix: 'stat', threads: 1, fsync: 'never', duration: '1h' }],
    timeouts: { prepare_silence: '5m', prepare_io_stall: '5m', cleanup: '30m', collect: '1m' },
    config: {
      namespace: 'shared',
      agents: fleet.agents.map(({ address, id }) => ({ address, id, target: home })),
      max_start_spread: '10s',
    },
  });
  await run.until('all files', ({ phase }) => phase === 'running', preparePatienceMs);
  const peaks = fleet.agents.map(({ program }) => {
    const started = [...program.stderr.matchAll(/workload process (\d+) started/g)].at(-1);
    return { runner: peakBytesOf(Number(started?.[1])), agent: peakBytesOf(program.pid) };
  });
  const dataset = path.join(home, 'many');
  const made = filesBelow(dataset).filter((name) => /^data\/d\d+\/f\d+$/.test(name));
  assert.equal(made.length, files);
  const foreign = [
    '../mine.txt',
    'notes.txt',
    'data/d0/notes.txt',
    `data/d1/f${files}`,
    'data/d2/f',
  ];
  for (const name of foreign) writeFileSync(path.join(dataset, name), `precious ${name}`);
  symlinkSync('../../../mine.txt', path.join(dataset, 'data/d3/link'));
  run.program.kill('SIGINT');
  await run.exits(130);
  const cleanup = fleet.controller(['cleanup', run.config, '--progress', 'json']);
  assert.equal((await cleanup.ended).code, 0, cleanup.stderr);
  const left = ['.muster-dataset.json', ...foreign.slice(1), 'data/d3/link'].map(
    (name) => `many/${name}`,
  );
  assert.deepEqual(filesBelow(home), [...left, 'mine.txt'].sort());
  for (const name of foreign) {
    assert.equal(readFileSync(path.join(dataset, name), 'utf8'), `precious ${name}`);
  }
  assert.match(cleanup.stderr, /many was kept: it still holds data\/d0\/notes\.txt, /);

  const preparing = progressOf(run.program, 'preparing');
  return {
    peakBytes: Math.max(...peaks.map(({ runner }) => runner)),
    agentPeakBytes: Math.max(...peaks.map(({ agent }) => agent)),
    prepareS: secondsOf(preparing),
    cleanupS: secondsOf(progressOf(cleanup, 'cleaning')),
    progress: preparing.flatMap(({ progress }) => progress ?? []),
  };
}

/** What the view told in a phase. */
function progressOf({ stdout }: Program, phase: string): readonly Told[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Told)
    .filter((one) => one.type === 'progress' && one.phase === phase);
}

function secondsOf(told: readonly Told[]): number {
  return ((told.at(-1)?.elapsed_ms ?? 0) - (told[0]?.elapsed_ms ?? 0)) / 1000;
}

/** VmHWM of proc_pid_status(5). */
function peakBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) * 1024;
}
