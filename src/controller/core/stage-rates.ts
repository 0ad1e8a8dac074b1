import type { OperationKind } from '../../shared/model/operation.js';
import type { StagePlan } from '../../shared/model/plan.js';
import type { AgentStage } from './agent-stage.js';
import { doneSeconds, endSeconds } from './agent-outcome.js';
import type { IntervalRow } from './interval-rows.js';
import type { Pieces } from './pieces.js';
import type { StageMember } from './stage-track.js';

/** With fewer whole seconds a rate is total ÷ last done. */
const leastSeconds = 3;

export interface Rate {
  readonly count: number;
  readonly bytes: number;
}

/** The rates of a group of agents over the seconds that all of them reported whole (3-measurement §5). */
export class StageRates {
  /** Whole measured seconds before first done that all reported; 0: the rates are total ÷ last done. */
  readonly seconds: number;
  readonly firstDoneS: number | undefined;
  readonly lastDoneS: number | undefined;
  /** Until the last operation of anyone, finished or not. */
  readonly endS: number;
  /** The seconds themselves, one after the other or with gaps: `until` is the second after the last. */
  readonly wholeParts: readonly { readonly from: number; readonly until: number }[];
  readonly #members: readonly StageMember[];
  /** Of each member that has whole seconds, by operation. */
  readonly #rates: ReadonlyMap<StageMember, ReadonlyMap<OperationKind, Rate>>;

  private constructor(
    { members, firstDoneS, lastDoneS }: Done,
    whole: Uint8Array,
    seconds: number,
    rates: ReadonlyMap<StageMember, ReadonlyMap<OperationKind, Rate>>,
  ) {
    this.#members = members;
    this.firstDoneS = firstDoneS;
    this.lastDoneS = lastDoneS;
    this.endS = Math.max(0, lastDoneS ?? 0, ...members.map(({ stage }) => endSeconds(stage)));
    this.seconds = seconds;
    this.wholeParts = seconds === 0 ? [] : partsOf(whole);
    this.#rates = rates;
  }

  /** Reads all rows of the members twice. */
  static *over(members: readonly StageMember[], plan: StagePlan): Pieces<StageRates> {
    const done = members
      .map(({ stage }) => doneSeconds(stage, plan))
      .filter((seconds) => seconds !== undefined);
    const firstDoneS = done.length > 0 ? Math.min(...done) : undefined;
    const lastDoneS = done.length > 0 ? Math.max(...done) : undefined;
    const whole = yield* wholeSeconds(members, firstDoneS);
    const sum = whole.reduce((total, one) => total + one, 0);
    const seconds = sum < leastSeconds ? 0 : sum;
    const rates = seconds === 0 ? new Map() : yield* ratesOf(members, whole, seconds);
    return new StageRates({ members, firstDoneS, lastDoneS }, whole, seconds, rates);
  }

  /** What the rates are formed over. */
  get spanS(): number {
    return this.seconds === 0 ? this.endS : this.seconds;
  }

  /** Per second, of one agent; the sum over the members is the group's rate. */
  of(member: StageMember, operation: OperationKind): Rate {
    if (this.seconds === 0) return StageRates.#total(member, operation, this.spanS);
    return this.#rates.get(member)?.get(operation) ?? { count: 0, bytes: 0 };
  }

  all(operation: OperationKind): Rate {
    return sumOf(this.#members.map((member) => this.of(member, operation)));
  }

  /** Everything ÷ the time until the last was done. */
  total(operation: OperationKind): Rate {
    return sumOf(this.#members.map((member) => StageRates.#total(member, operation, this.endS)));
  }

  static #total(member: StageMember, operation: OperationKind, seconds: number): Rate {
    const totals = member.stage.totals.get(operation);
    if (!totals || seconds === 0) return { count: 0, bytes: 0 };
    return { count: totals.count / seconds, bytes: totals.bytes / seconds };
  }
}

interface Done {
  readonly members: readonly StageMember[];
  readonly firstDoneS: number | undefined;
  readonly lastDoneS: number | undefined;
}

function* ratesOf(
  members: readonly StageMember[],
  whole: Uint8Array,
  seconds: number,
): Pieces<Map<StageMember, Map<OperationKind, Rate>>> {
  const rates = new Map<StageMember, Map<OperationKind, Rate>>();
  for (const member of members) {
    const own = new Map<OperationKind, Rate>();
    rates.set(member, own);
    for (const operation of member.stage.totals.keys()) {
      yield;
      let count = 0;
      let bytes = 0;
      for (const row of member.stage.rows(operation)) {
        if (whole[row.first] !== 1 || row.mark === 'missing') continue;
        count += row.count;
        bytes += row.bytes;
      }
      own.set(operation, { count: count / seconds, bytes: bytes / seconds });
    }
  }
  return rates;
}

function sumOf(rates: readonly Rate[]): Rate {
  return {
    count: rates.reduce((sum, rate) => sum + rate.count, 0),
    bytes: rates.reduce((sum, rate) => sum + rate.bytes, 0),
  };
}

/** 1 for every second that all members reported and nobody had finished in. */
function* wholeSeconds(
  members: readonly StageMember[],
  firstDoneS: number | undefined,
): Pieces<Uint8Array> {
  if (members.length === 0) return new Uint8Array();
  const reported = Math.min(...members.map(({ stage }) => wholeEnd(stage)));
  const whole = new Uint8Array(Math.min(reported, Math.floor(firstDoneS ?? Infinity)));
  whole.fill(1);
  const wide: IntervalRow[] = [];
  for (const { stage } of members) {
    for (const operation of stage.totals.keys()) {
      yield;
      for (const row of stage.rows(operation)) {
        if (row.mark === 'missing') whole.fill(0, row.first, row.last + 1);
        else if (row.mark === 'merged') wide.push(row);
      }
    }
  }
  // A sample of several seconds counts as a whole or not at all; leaving its seconds out may cut another one.
  for (let changed = true; changed;) {
    changed = false;
    for (const { first, last } of wide) {
      const inside = whole.subarray(first, last + 1).reduce((sum, one) => sum + one, 0);
      if (inside === 0 || inside === last - first + 1) continue;
      whole.fill(0, first, last + 1);
      changed = true;
    }
  }
  return whole;
}

function partsOf(whole: Uint8Array): { from: number; until: number }[] {
  const parts: { from: number; until: number }[] = [];
  for (let from = whole.indexOf(1); from !== -1;) {
    const after = whole.indexOf(0, from);
    const until = after === -1 ? whole.length : after;
    parts.push({ from, until });
    from = whole.indexOf(1, until);
  }
  return parts;
}

/** Who was stopped in the middle of a second reported it, too: it is no whole one. */
function wholeEnd({ held, result }: AgentStage): number {
  const isCut = result?.endedBy === 'aborted' || result?.endedBy === 'error';
  return isCut ? Math.max(0, Math.min(held.end, result.intervals - 1)) : held.end;
}
