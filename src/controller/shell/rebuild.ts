import { join } from 'node:path';
import type { Clock } from '../../shared/kernel/clock.js';
import { codeOf, MusterError, reasonOf } from '../../shared/kernel/errors.js';
import { exitCodes } from '../../shared/model/outcome.js';
import { Aggregate } from '../core/aggregate.js';
import { Manifest } from '../core/manifest.js';
import type { JournalRecord } from '../core/records.js';
import type { Summary } from '../core/summary.js';
import { writeDerivedFiles } from './derived-files.js';
import { readJournal } from './journal-reader.js';
import { inTurns } from './turns.js';
import { writeFailureLine } from './write-failure.js';

export interface ReadRun extends Read {
  readonly aggregate: Aggregate;
  readonly manifest: Manifest;
}

export interface Rebuilt extends Read {
  /** `ERROR: Cannot write results to disk (…)`, when not everything is in the folder. */
  readonly failure: string | undefined;
}

interface Read {
  readonly summary: Summary;
  /** What could not be read of the journal, one sentence each. */
  readonly damage: readonly string[];
}

/**
 * Makes every derived file of a results folder again from its journal, also after a crash of the controller.
 * @throws MusterError 2 when there is no journal to read
 */
export async function rebuild(folder: string, clock: Clock): Promise<Rebuilt> {
  const { aggregate, manifest, summary, damage } = await readRun(folder, clock);
  const thrown = await writeDerivedFiles(folder, aggregate, manifest, summary, clock);
  const failure = thrown === undefined ? undefined : writeFailureLine(thrown);
  return { summary, damage, failure };
}

/** All that the journal of a results folder says. @throws MusterError 2 when there is no journal to read */
export async function readRun(folder: string, clock: Clock): Promise<ReadRun> {
  const aggregate = new Aggregate();
  const manifest = new Manifest();
  const path = join(folder, 'journal.ndjson');
  const damage = await readRunJournal(path, (record) => {
    aggregate.accept(record);
    manifest.accept(record);
  });
  if (!aggregate.run) throw noRun(path);
  for (const sentence of damage) aggregate.warn(sentence);
  const summary = await inTurns(aggregate.summaryInPieces(), clock);
  return { aggregate, manifest, summary, damage };
}

/** A journal whose first record cannot be read. */
export function noRun(path: string): MusterError {
  return new MusterError(`${path} does not say which run it is of`, {
    exitCode: exitCodes.usage,
    hint: 'Its first lines are missing or damaged; the run cannot be rebuilt.',
  });
}

/** As readJournal. @throws MusterError 2 when the file cannot be read, or is of another schema */
export async function readRunJournal(
  path: string,
  accept: (record: JournalRecord) => void,
): Promise<readonly string[]> {
  try {
    const { damage } = await readJournal(path, (record) => {
      if (record.type === 'run') demandSchema(path, record);
      accept(record);
    });
    return damage;
  } catch (thrown) {
    if (codeOf(thrown) === undefined) throw thrown;
    throw new MusterError(`Cannot read ${path}: ${reasonOf(thrown)}`, {
      exitCode: exitCodes.usage,
      hint: 'Give the folder of a run, for example results/20261121-142233-nightly-7f3a.',
      cause: thrown,
    });
  }
}

/** What another schema calls the same need not mean the same. */
function demandSchema(
  path: string,
  { schema, version }: { schema: number; version: string },
): void {
  if (schema === 1) return;
  throw new MusterError(`${path} is of schema ${String(schema)}; this version reads schema 1`, {
    exitCode: exitCodes.usage,
    hint: `Use the version of Muster that made it (${version}).`,
  });
}
