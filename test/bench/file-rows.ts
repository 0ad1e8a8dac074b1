/** PERF-01 to 04: the file engine and fio in turns, both on the same file. */
import path from 'node:path';
import type { StageAssignment } from '../../src/shared/model/assignment.js';
import { stageOf } from '../support/runner-process.js';
import { randomRead, runFio } from './fio-side.js';
import type { FioJob } from './fio-side.js';
import { count, measurePairs, ratio, spreadOf } from './measure.js';
import type { Figures, Measure, Pair, Spread } from './measure.js';
import { benchAssignment, benchFile, makeFile, removeFile, runStage } from './muster-side.js';
import { makeAbsent, makeResident } from './page-cache.js';
import type { BenchOptions, RowResult } from './row.js';

const mib = 1024 * 1024;

export interface FileRow {
  readonly row: string;
  readonly what: string;
  readonly floor: number;
  /** Of Muster's p99 to fio's, where the row has one. */
  readonly mostP99?: number;
  readonly stage: Partial<StageAssignment>;
  readonly fio: Partial<FioJob>;
}

/** PERF-01: 4 KiB random reads from the page cache. */
export function cachedRead(threads: number, noatime: boolean): FileRow {
  return {
    row: 'PERF-01',
    what: `file, cached 4 KiB random read, ${threadsText(threads)}${noatime ? ', `noatime`' : ''}`,
    floor: noatime ? 0.92 : 0.85,
    stage: { threads, noatime },
    fio: { threads },
  };
}

/** PERF-02: 4 KiB random reads from the device. */
export function directRead(threads: number): FileRow {
  return {
    row: 'PERF-02',
    what: `file, \`direct\` 4 KiB random read, ${threadsText(threads)}`,
    floor: 0.95,
    mostP99: 1.25,
    stage: { threads, direct: true },
    fio: { threads, direct: true },
  };
}

/**
 * PERF-03: the same with many in flight on one thread, through libuv's io_uring where this Node has it. `sqthreadPoll`:
 * against fio that leaves its submissions to a thread of the kernel, too.
 */
export function deepRead(sqthreadPoll: boolean): FileRow {
  const iodepth = 32;
  return {
    row: 'PERF-03',
    what: `file, \`direct\` 4 KiB random read, 1 thread, \`iodepth: ${String(iodepth)}\``,
    floor: 0.85,
    stage: { threads: 1, iodepth, direct: true },
    fio: { engine: 'io_uring', iodepth, direct: true, sqthreadPoll },
  };
}

/** PERF-04: 1 MiB one after the other, through the page cache. */
export function sequential(operation: 'read' | 'write', direct: boolean): FileRow {
  return {
    row: 'PERF-04',
    what: `file, ${direct ? '`direct`' : 'cached'} 1 MiB sequential ${operation}, 1 thread`,
    floor: 0.98,
    stage: {
      threads: 1,
      mix: [{ operation, weight: 1 }],
      access: 'sequential',
      blockSizeBytes: mib,
      direct,
    },
    fio: { rw: operation, blockBytes: mib, direct },
  };
}

export interface Sides {
  readonly ours: Measure;
  readonly theirs: Measure;
  /** What did the I/O of our runs. */
  readonly mechanisms: ReadonlySet<string>;
}

/** Lets both sides work on the same file, which is wholly in the page cache before each run or, `direct`, wholly out of it. */
export async function onOneFile<T>(
  { target, seconds, fileSizeBytes = 256 * mib }: BenchOptions,
  work: Pick<FileRow, 'stage' | 'fio'>,
  use: (sides: Sides) => Promise<T>,
): Promise<T> {
  const stage = stageOf({ ...work.stage, durationMs: seconds * 1000 });
  const job = { ...randomRead, ...work.fio };
  const assignment = benchAssignment(target, [stage], fileSizeBytes);
  const file = path.join(target, benchFile);
  const ready = async (): Promise<void> => {
    if (stage.direct) await makeAbsent(file);
    else makeResident(file);
  };
  const mechanisms = new Set<string>();
  await makeFile(assignment);
  const ours = async (): Promise<Figures> => {
    const { figures, mechanism } = await runStage(assignment, ready);
    mechanisms.add(mechanism);
    return figures;
  };
  const theirs = async (): Promise<Figures> => {
    await ready();
    return runFio(file, job, seconds);
  };
  return use({ ours, theirs, mechanisms }).finally(() => removeFile(assignment));
}

export async function againstFio(options: BenchOptions, row: FileRow): Promise<RowResult> {
  return onOneFile(options, row, async ({ ours, theirs, mechanisms }) => {
    const pairs = await measurePairs(options.pairs, ours, theirs);
    return resultOf(row, pairs, [...mechanisms].join('; '));
  });
}

function resultOf(
  { row, what, floor, mostP99, fio }: FileRow,
  results: readonly Pair[],
  mechanism: string,
): RowResult {
  const of = (figure: (pair: Pair) => number): Spread => spreadOf(results.map(figure));
  const speed = of(({ ours, theirs }) => ours.perSecond / theirs.perSecond);
  const p99 = of(({ ours, theirs }) => ours.p99Ns / theirs.p99Ns);
  const isP99Met = mostP99 === undefined || p99.median <= mostP99;
  return {
    row,
    what: `${what} (${mechanism})`,
    ours: `${count(of(({ ours }) => ours.perSecond).median)}/s`,
    theirs: `fio ${fio.engine ?? randomRead.engine}${fio.sqthreadPoll ? ' sqthread_poll' : ''} ${count(of(({ theirs }) => theirs.perSecond).median)}/s`,
    result: `${ratio(speed)} ×`,
    remark: [...(mostP99 === undefined ? [] : [p99Text(p99, of)]), cpuText(of)].join('; '),
    floor: `≥ ${floor.toFixed(2)} ×${mostP99 === undefined ? '' : `, p99 ≤ ${mostP99.toFixed(2)} ×`}`,
    isMet: speed.median >= floor && isP99Met,
  };
}

type Of = (figure: (pair: Pair) => number) => Spread;

function p99Text(p99: Spread, of: Of): string {
  const ours = of((pair) => pair.ours.p99Ns / 1e6).median.toFixed(2);
  const theirs = of((pair) => pair.theirs.p99Ns / 1e6).median.toFixed(2);
  return `p99 ${ours} : ${theirs} ms, ${ratio(p99)} ×`;
}

function cpuText(of: Of): string {
  const perSecond = of(({ ours, theirs }) => theirs.cpuNsPerOperation / ours.cpuNsPerOperation);
  const ours = of((pair) => pair.ours.cpuNsPerOperation / 1e3).median.toFixed(1);
  const theirs = of((pair) => pair.theirs.cpuNsPerOperation / 1e3).median.toFixed(1);
  return `CPU ${ours} : ${theirs} µs per operation, per CPU second ${ratio(perSecond)} ×`;
}

function threadsText(threads: number): string {
  return `${String(threads)} thread${threads > 1 ? 's' : ''}`;
}
