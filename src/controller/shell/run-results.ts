import { join } from 'node:path';
import type { Cancel, Clock } from '../../shared/kernel/clock.js';
import type { LogLevel } from '../../shared/kernel/log.js';
import { codeOf } from '../../shared/kernel/errors.js';
import { exitCodes, gravest } from '../../shared/model/outcome.js';
import type { ExitCode } from '../../shared/model/outcome.js';
import { Aggregate } from '../core/aggregate.js';
import { isoTime } from '../core/calendar.js';
import { journalCut } from '../core/journal-cut.js';
import { Manifest } from '../core/manifest.js';
import type { JournalRecord } from '../core/records.js';
import type { Summary } from '../core/summary.js';
import { reportHtml } from '../view/html/report-html.js';
import { writeDerivedFiles } from './derived-files.js';
import { encodeRecord } from './journal-codec.js';
import { LineFile } from './line-file.js';
import { endJournal } from './end-journal.js';
import { createResultsFolder, notWritable } from './results-folder.js';
import { RunJson } from './run-json.js';
import { forgetSecret, keepSecret } from './run-secret.js';
import { inTurns } from './turns.js';
import { writeFailureLine, writeFailureReason } from './write-failure.js';

/** A disk that takes nothing for this long at the end must not hold the controller. */
const patienceMs = 30_000;

/**
 * Come again and again of every agent. That run.json has them by the next news is enough: of a thousand agents it is
 * megabytes, and whoever looks after a crash makes it anew from the journal.
 */
const counts: ReadonlySet<JournalRecord['type']> = new Set(['clock', 'linkMetrics', 'linkReport']);

const stallLine =
  'The results disk has not taken a write for 2s: what agents report meanwhile is only in memory';

export interface ResultsRequest {
  readonly parent: string;
  readonly name: string;
  /** The config, verbatim. */
  readonly configText: string;
  readonly clock: Clock;
  /** Called once, at the first failure to write, with the line for the user; the run goes on. */
  readonly onFailure: (line: string) => void;
  /** Called each time a write to the journal takes too long, with a line for the user. */
  readonly onStall?: (line: string) => void;
}

export interface FinishedResults {
  readonly folder: string;
  readonly summary: Summary;
  /** `ERROR: Cannot write results to disk (…)`; undefined when everything is on disk. */
  readonly failure: string | undefined;
  /** The summary's, and 6 when there was a failure. */
  readonly exitCode: ExitCode;
}

/** All that a run leaves behind: one call per record, one at the end. */
export class RunResults {
  readonly aggregate = new Aggregate();
  readonly folder: string;
  readonly #clock: Clock;
  readonly #manifest = new Manifest();
  readonly #journal: LineFile;
  readonly #log: LineFile;
  readonly #runJson: RunJson;
  #failure: string | undefined;
  readonly #onFailure: (line: string) => void;

  private constructor(folder: string, request: ResultsRequest, journal: LineFile, log: LineFile) {
    this.folder = folder;
    this.#clock = request.clock;
    this.#journal = journal;
    this.#log = log;
    this.#onFailure = request.onFailure;
    const fail = (thrown: unknown): void => {
      this.#fail(thrown);
    };
    this.#runJson = new RunJson(join(folder, 'run.json'), this.#manifest, request.clock, fail);
    journal.onFailure = fail;
    journal.onStall = () => request.onStall?.(stallLine);
    log.onFailure = fail;
  }

  /** Makes the folder and proves it writable, before any load. Throws MusterError 6. */
  static async open(request: ResultsRequest): Promise<RunResults> {
    const { parent, name, clock } = request;
    const folder = await createResultsFolder({
      parent,
      name,
      unixMs: clock.unixMs(),
      configText: request.configText,
    });
    try {
      const journal = await LineFile.create(join(folder, 'journal.ndjson'), clock);
      const log = await LineFile.create(join(folder, 'controller.log'), clock);
      return new RunResults(folder, request, journal, log);
    } catch (thrown) {
      throw notWritable(parent, thrown);
    }
  }

  record(record: JournalRecord): void {
    this.#journal.append(encodeRecord(record));
    this.aggregate.accept(record);
    if (this.#manifest.accept(record) && !counts.has(record.type)) this.#runJson.changed();
  }

  /** The report as far as it is known, for a browser that asks again every `refreshSeconds`. */
  async livePage(refreshSeconds: number): Promise<string> {
    const summary = await inTurns(this.aggregate.summaryInPieces(), this.#clock);
    const page = reportHtml(this.aggregate, this.#manifest.document(), summary, { refreshSeconds });
    return inTurns(page, this.#clock);
  }

  /**
   * Calls `safe` when all records so far are in the journal: they outlive this process. A disk that does not take them
   * (any more, or for 2 s) is not waited for: agents that are not answered would be taken for lost.
   */
  whenSafe(safe: () => void): void {
    this.#journal.whenWritten(safe);
  }

  /** Not all that was recorded is in the journal. */
  get isBehind(): boolean {
    return this.#journal.isBehind;
  }

  /** For `recover`, should this process die. A disk that does not take it is a failure like any other. */
  async keepSecret(runId: string, secret: string): Promise<void> {
    await this.#tried(keepSecret(this.folder, runId, secret));
  }

  /** The run has ended, and no agent has more of it. */
  async forgetSecret(): Promise<void> {
    await this.#tried(forgetSecret(this.folder));
  }

  /** A line for controller.log. */
  log(level: LogLevel, line: string): void {
    this.#log.append(`${isoTime(this.#clock.unixMs())} ${level.padEnd(5)} ${line}`);
  }

  /** Journal, log and run.json on disk; for a second Ctrl-C, when there is no time for the rest. */
  async flush(): Promise<void> {
    await this.#patiently(() =>
      Promise.all([this.#journal.flush(), this.#log.flush(), this.#runJson.write()]),
    );
  }

  /** After the `end` record: writes and flushes everything; gives up on a disk that stands still. Rejects for a bug only. */
  async finish(): Promise<FinishedResults> {
    const summary = await inTurns(this.aggregate.summaryInPieces(), this.#clock);
    await this.#patiently((onProgress) => this.#writeAll(summary, onProgress));
    const failure = this.#failure;
    const { folder } = this;
    if (failure === undefined) return { folder, summary, failure, exitCode: summary.exit_code };
    const exitCode = gravest([summary.exit_code, exitCodes.resultsNotWritten]);
    return { folder, summary: { ...summary, exit_code: exitCode }, failure, exitCode };
  }

  async #writeAll(summary: Summary, onProgress: () => void): Promise<void> {
    await this.#journal.close();
    if (this.#journal.failure) await this.#endJournal(this.#journal.failure);
    onProgress();
    await this.#runJson.write();
    const failure = await writeDerivedFiles(
      this.folder,
      this.aggregate,
      this.#manifest,
      summary,
      this.#clock,
      onProgress,
    );
    if (failure !== undefined) this.#fail(failure);
    await this.#log.close();
  }

  /** `report` is to say what became of the run, and that this is not all of it. */
  async #endJournal(failure: Error): Promise<void> {
    const { end } = this.aggregate;
    if (!end) return;
    const why = end.reason === undefined ? '' : `: ${end.reason}`;
    const record: JournalRecord = {
      ...end,
      outcome: 'partial',
      exitCode: gravest([end.exitCode, exitCodes.resultsNotWritten]),
      reason: `${journalCut} (${writeFailureReason(failure)}); the run itself: ${end.outcome}${why}`,
    };
    // It may not be there any more.
    await endJournal(join(this.folder, 'journal.ndjson'), encodeRecord(record)).catch(ignore);
  }

  /** Waits for the work as long as it makes progress. */
  async #patiently(work: (onProgress: () => void) => Promise<unknown>): Promise<void> {
    let cancel: Cancel = () => undefined;
    let over = false;
    let onProgress = (): void => undefined;
    const stuck = new Promise<void>((resolve) => {
      const wait = (): void => {
        cancel();
        if (!over) cancel = this.#clock.after(patienceMs, giveUp);
      };
      const giveUp = (): void => {
        this.#fail(new Error('the disk does not answer'));
        resolve();
      };
      onProgress = wait;
    });
    onProgress();
    try {
      await Promise.race([work(onProgress), stuck]);
    } finally {
      over = true;
      cancel();
    }
  }

  async #tried(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (thrown) {
      if (codeOf(thrown) === undefined) throw thrown;
      this.#fail(thrown);
    }
  }

  #fail(thrown: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = writeFailureLine(thrown);
    this.#onFailure(this.#failure);
  }
}

function ignore(thrown: unknown): void {
  if (codeOf(thrown) === undefined) throw thrown;
}
