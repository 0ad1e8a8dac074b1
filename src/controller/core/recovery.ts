import { exitCodes } from '../../shared/model/outcome.js';
import type { Plan } from '../../shared/model/plan.js';
import { stateAfter } from './agent-outcome.js';
import { journalCut } from './journal-cut.js';
import type { AgentFacts, JournalRecord, RunRecord, SessionState } from './records.js';
import { counted } from '../../shared/kernel/counted.js';

/** What became of the attempt to get an agent's part. */
export interface Recovered {
  readonly agent: number;
  /** It, or its host's spool, answered: there is no more of the run. */
  readonly isComplete: boolean;
  readonly reason: string;
}

const over: ReadonlySet<SessionState> = new Set(['COMPLETED', 'FAILED', 'ABORTED']);

const stoppedEarly = 'the controller stopped before the run ended';
const recoveredFrom = '; recovered from ';

/** What a journal says of a run whose controller is gone, and the records that bring it to an end. */
export class Recovery {
  plan: Plan | undefined;
  runId = '';
  /** The journal has an end: only what single agents still have can be added. */
  hasEnd = false;
  /** Of the last record. */
  lastMs = 0;
  readonly facts = new Map<number, AgentFacts>();
  readonly #states = new Map<number, SessionState>();
  readonly #open = new Set<number>();
  readonly #completed = new Set<string>();
  #mode = '';
  /** The end was written by an earlier recovery. */
  #isEndedByRecovery = false;
  /** The run ended because agents were lost to it, and nothing but their results may be missing. */
  #lacksResults = false;
  /** Others took over what a lost agent was to do: if that one did it as well, more was done than planned. */
  #isDividedAnew = false;
  /** Why this is not all of the run. */
  #why = stoppedEarly;

  learn(record: RunRecord | JournalRecord): void {
    if ('atMs' in record) this.lastMs = Math.max(this.lastMs, record.atMs);
    switch (record.type) {
      case 'run':
        this.plan = record.plan;
        this.runId = record.runId;
        this.#mode = record.mode;
        return;
      case 'agent':
        this.facts.set(record.agent, record.facts);
        return;
      case 'transition':
        this.#states.set(record.agent, record.to);
        return;
      case 'stageStart':
        this.#open.add(record.stage);
        return;
      case 'stageEnd':
        this.#open.delete(record.stage);
        return;
      case 'stageResult': {
        const { agent, result } = record;
        if (stateAfter(result.endedBy) !== 'COMPLETED') return;
        this.#completed.add(`${String(agent)} ${String(result.stage)}`);
        return;
      }
      case 'share':
        this.#isDividedAnew ||= record.agents.length < (this.plan?.agents.length ?? 0);
        return;
      case 'end':
        this.#lacksResults = record.outcome === 'partial' || record.outcome === 'aborted';
        this.#ended(record.reason ?? '');
        return;
      default:
        return;
    }
  }

  /** Where its disk took no more of the journal, the end in it is not the run's own, and most may be missing before it. */
  #ended(reason: string): void {
    const [why = '', recovered] = reason.split(recoveredFrom);
    if (why.startsWith(journalCut)) this.#why = why;
    this.#isEndedByRecovery = why === this.#why && recovered !== undefined;
    this.hasEnd = this.#isEndedByRecovery || !why.startsWith(journalCut);
  }

  /** An earlier recovery, or the run itself, has all that this agent had. */
  has(agent: number): boolean {
    const state = this.#states.get(agent);
    return this.hasEnd && (state === 'COMPLETED' || state === 'ABORTED');
  }

  /** What is to be added when all agents have been asked; nothing when the run had come to an end that still holds. */
  end(recovered: readonly Recovered[]): RunRecord[] {
    const isWhole = this.#lacksResults && this.#haveAllCompleted && !this.#isDividedAnew;
    if (this.hasEnd && !isWhole) return this.#isEndedByRecovery ? [this.#end(recovered)] : [];
    const records = recovered.flatMap(({ agent, isComplete, reason }): RunRecord[] => {
      const from = this.#states.get(agent) ?? 'CONNECTING';
      if (from === 'COMPLETED' || (over.has(from) && !isWhole)) return [];
      if (this.#hasCompleted(agent)) {
        return [{ type: 'transition', agent, from, to: 'COMPLETED', reason: '' }];
      }
      return [{ type: 'transition', agent, from, to: isComplete ? 'ABORTED' : 'FAILED', reason }];
    });
    const stages = [...this.#open].map((stage): RunRecord => ({ type: 'stageEnd', stage }));
    return [...records, ...stages, this.#end(recovered)];
  }

  /** All stages of the run. */
  #hasCompleted(agent: number): boolean {
    const stages = this.plan?.stages ?? [];
    return (
      this.#mode === 'run' &&
      stages.every(({ index }) => this.#completed.has(`${String(agent)} ${String(index)}`))
    );
  }

  get #haveAllCompleted(): boolean {
    return (this.plan?.agents ?? []).every(({ index }) => this.#hasCompleted(index));
  }

  #end(recovered: readonly Recovered[]): RunRecord {
    const agents = this.plan?.agents ?? [];
    if (this.#haveAllCompleted) {
      const exitCode = exitCodes.completed;
      return {
        type: 'end',
        outcome: 'completed',
        exitCode,
        reason: undefined,
        notRepresentative: false,
      };
    }
    const got = recovered.filter(({ isComplete }) => isComplete).length;
    const of = `${String(got)} of ${counted(agents.length, 'agent')}`;
    return {
      type: 'end',
      outcome: 'partial',
      exitCode: exitCodes.partial,
      reason: `${this.#why}${recoveredFrom}${of}`,
      notRepresentative: false,
    };
  }
}
