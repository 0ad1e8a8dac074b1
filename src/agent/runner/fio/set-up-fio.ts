import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Assignment, StageAssignment } from '../../../shared/model/assignment.js';
import { bytesOf } from '../choosing/bytes-of.js';
import { filePath } from '../dataset-layout.js';
import { Aborted, RunnerFailure } from '../failure.js';
import type { RunnerParts } from '../runner-parts.js';
import { FioCounts } from './fio-counts.js';
import type { FioStage } from './fio-load.js';
import { FioProcess } from './fio-process.js';
import type { FioEnd, FioRun } from './fio-process.js';
import { fioJob } from './job-file.js';
import { fioMechanism } from './mechanism.js';
import { NoFio } from './no-fio.js';
import { fioDataset } from './open-files.js';
import { fioVersion } from './preflight.js';
import { fioSeed } from './seed.js';

/** A fio that is told to stop writes its last counters within milliseconds; one whose thread is stuck does not. */
const stopGraceMs = 1_000;

/** A fio that has opened the dataset's files and waits to be let go. @throws RunnerFailure when it cannot, Aborted */
export async function setUpFio(
  parts: RunnerParts,
  assignment: Assignment,
  stage: StageAssignment,
): Promise<FioStage> {
  const { dataset, seed, agentIndex } = assignment;
  const version = await fioVersion();
  const folder = linkedFolder(assignment);
  const job = fioJob(stage, fioDataset(stage, dataset), fioSeed(seed, stage.index, agentIndex));
  // Options of fio's own may say that blocks differ.
  const isFixed = !Object.keys(stage.fio ?? {}).some((name) => /^(?:bs|zone)/.test(name));
  const counts = new FioCounts(
    stage.mix.map(({ operation }) => operation),
    (kind) => (isFixed ? bytesOf(kind, { ...stage, ...dataset }) : undefined),
  );
  const warnings = new Set<string>();
  let isReady = false;
  const started = (): FioProcess =>
    new FioProcess({
      jobFile: job.text,
      threads: job.threads,
      folder,
      onStatus: (status) => {
        counts.take(status);
        fio.onStatus();
      },
      onLine: (line) => {
        if (isWorthTelling(line)) warnings.add(line);
        if (!isReady && isOfThreadThatEnded(line)) process.kill();
      },
    });
  const process = job.threads === 0 ? new NoFio() : started();
  const fio: FioStage = {
    parts,
    stage,
    process,
    counts,
    warnings,
    mechanism: fioMechanism(version, stage),
    onStatus: () => undefined,
  };
  endWithRun(parts, process, folder);
  const end = await process.ready();
  isReady = true;
  if (parts.signal.aborted) throw new Aborted();
  if (end !== undefined) throw notSetUp(stage, end, warnings);
  return fio;
}

function notSetUp(
  { name }: StageAssignment,
  { code, signal }: FioEnd,
  warnings: ReadonlySet<string>,
): RunnerFailure {
  const why = [...warnings].at(-1) ?? signal ?? `it ended with code ${String(code)}`;
  return new RunnerFailure('target', `stage "${name}": fio cannot be set up: ${why}`);
}

/** From its start to its end an abort reaches it; one that does not heed it in time is killed. */
function endWithRun({ signal, clock }: RunnerParts, process: FioRun, folder: string): void {
  let cancel = (): void => undefined;
  const stop = (): void => {
    process.stop();
    cancel = clock.after(stopGraceMs, () => {
      process.kill();
    });
  };
  signal.addEventListener('abort', stop, { once: true });
  // It may have come while fio's version was asked for.
  if (signal.aborted) stop();
  const ended = (): void => {
    signal.removeEventListener('abort', stop);
    cancel();
    fs.rmSync(folder, { recursive: true, force: true });
  };
  process.ended.then(ended, ended);
}

/**
 * A folder with a link `f.N` per file of the dataset: fio takes its files by number, however many they are and whatever
 * is in their paths, and has a place for its leavings.
 */
function linkedFolder({ dataset }: Assignment): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'muster-fio-'));
  const { from, to } = dataset.use;
  for (let file = from; file < to; file++) {
    const target = path.resolve(filePath(file, dataset.directories));
    fs.symlinkSync(target, path.join(folder, `f.${String(file - from)}`));
  }
  return folder;
}

/** The others would wait at the gate for one that never comes. */
function isOfThreadThatEnded(line: string): boolean {
  return /^fio: pid=\d+, err=\d+/.test(line);
}

/** What the gate makes it say at every start is no news. */
function isWorthTelling(line: string): boolean {
  return !/^t\d+ : Saving output of prerun|^fio: terminating on signal/.test(line);
}
