import type { EndedBy } from '../../shared/model/messages.js';
import type { ConcurrentEngine } from '../engines/engine.js';
import { blankOperation } from './allowance.js';
import type { Allowance } from './allowance.js';
import type { OperationStream } from './choosing/operation-stream.js';
import type { ClockBase } from './clock-base.js';
import { errorSlotOf, shortSlot } from './error-codes.js';
import type { ErrorRules } from './error-rules.js';
import { firstDue, firstStart, lastEnd, lateWakeUps } from './lane-memory.js';
import type { LaneMemory } from './lane-memory.js';
import { Ledger } from './ledger.js';
import type { Alarm } from './pacing/alarm.js';
import type { Pace } from './pacing/pace.js';
import { lateNs } from './pacing/waiter.js';
import type { Waiter } from './pacing/waiter.js';
import { FreePlaces } from './places.js';
import type { Place } from './places.js';
import type { Verifier } from './verify/verifier.js';

export interface ConcurrentLaneParts {
  readonly engine: ConcurrentEngine;
  readonly stream: OperationStream;
  /** One for every operation in flight. */
  readonly buffers: readonly Uint8Array[];
  readonly clock: ClockBase;
  readonly rules: ErrorRules;
  /** One for each buffer; none when nothing is verified. */
  readonly verifiers: readonly Verifier[];
}

/** How operations wait for their instants: in a thread that has nothing else to do, and beside others in flight. */
export interface Pacing {
  readonly pace: Pace;
  readonly waiter: Waiter;
  readonly alarm: Alarm;
}

/** A stage's warm-up, or what is measured of it. */
export interface LanePart {
  readonly allowance: Allowance;
  readonly memory: LaneMemory;
  /** undefined: every operation is issued as soon as there is a place for it. */
  readonly pacing: Pacing | undefined;
  /** It is over when its last operation has ended; if not the last part, when it is time to set up the next one. */
  readonly isLast: boolean;
  /** If not the last part: when the next one begins, ns after the clock base. */
  readonly nextNs: number;
}

/** With what every operation of it needs at hand. */
interface OpenPart extends LanePart {
  readonly ledger: Ledger;
  readonly openLoop: boolean;
  readonly starts: Float64Array;
  readonly cells: Float64Array;
  readonly missed: Float64Array;
}

/** Time to set up a part before it begins. */
const setUpNs = 1e6;

/**
 * Keeps up to as many operations in flight as there are buffers. Closed loop: each that ends is followed by the next in
 * its place. Paced: each is issued when its pace says so or, when all places were taken then, as soon as one is free; it
 * is chosen before it has to wait, so that choosing does not delay it. Service time runs from the issue until this
 * thread's event loop hands over the completion.
 */
export class ConcurrentLane {
  /** The error that ended it (error_policy: stop). */
  stoppedBy = '';
  readonly #parts: ConcurrentLaneParts;
  readonly #engine: ConcurrentEngine;
  readonly #clock: ClockBase;
  readonly #free: FreePlaces<OpenPart>;
  #part: OpenPart;
  /** Chosen, and waiting for its instant. */
  #next: Place<OpenPart> | undefined;
  #inFlight = 0;
  /** Until when all places were taken, ns after the clock base. */
  #fullUntilNs = -Infinity;
  /** The instant that is waited for beside the event loop. */
  #awaitedNs = -Infinity;
  /** Why nothing more of the part is issued. */
  #endedBy: EndedBy | undefined;
  #resolve: (endedBy: EndedBy) => void = () => undefined;
  #reject: (bug: unknown) => void = () => undefined;

  /** @param first as for `run` */
  constructor(parts: ConcurrentLaneParts, first: LanePart) {
    this.#parts = parts;
    this.#engine = parts.engine;
    this.#clock = parts.clock;
    this.#part = this.#opened(first);
    this.#free = new FreePlaces(
      parts.buffers.map((buffer, index) => this.#placeOf(buffer, index, parts.verifiers[index])),
    );
  }

  /** How many operations could begin now. */
  get freePlaces(): number {
    return this.#free.count;
  }

  /**
   * Issues the operations of a part; those of the part before that are still in flight keep their places meanwhile.
   * @throws what is no system error: a bug of the engine
   */
  run(part: LanePart): Promise<EndedBy> {
    this.#part = this.#opened(part);
    // An error of the part before may have come since that was over.
    this.#endedBy = this.stoppedBy === '' ? undefined : 'error';
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#wake();
    });
  }

  #opened(part: LanePart): OpenPart {
    const { stream, rules } = this.#parts;
    const { allowance, memory, pacing, isLast, nextNs } = part;
    const { starts, cells, missed, shape } = memory;
    const ledger = new Ledger(memory, stream, rules);
    const { openLoop } = shape;
    // Not spread: one shape for all.
    return { allowance, memory, pacing, isLast, nextNs, ledger, openLoop, starts, cells, missed };
  }

  #placeOf(buffer: Uint8Array, index: number, verifier: Verifier | undefined): Place<OpenPart> {
    const place: Place<OpenPart> = {
      index,
      operation: blankOperation(),
      buffer,
      done: (error, moved) => {
        try {
          this.#complete(place, error, moved);
        } catch (bug) {
          this.#fail(bug);
        }
      },
      verifier,
      part: this.#part,
      slot: 0,
      // Doubles from the start: with an integer here the place changes its shape later, at 60 ns an operation (measured).
      dueNs: -Infinity,
      startNs: -Infinity,
    };
    return place;
  }

  readonly #wake = (): void => {
    try {
      this.#issueDue(this.#clock.now());
    } catch (bug) {
      this.#fail(bug);
    }
  };

  #complete(place: Place<OpenPart>, error: Error | null, moved: number): void {
    const { operation, buffer, slot, verifier, dueNs, startNs, part } = place;
    const { ledger } = part;
    const endNs = this.#clock.now();
    part.starts[place.index] = 0;
    part.cells[lastEnd] = endNs;
    this.#inFlight--;
    let code = -1;
    if (error !== null) code = errorSlotOf(error);
    else if (moved !== operation.bytes) code = shortSlot;
    const tookNs = endNs - startNs;
    code = ledger.judge(operation, buffer, code, tookNs, verifier);
    if (code < 0) {
      ledger.done(operation, slot, tookNs);
      if (part.openLoop) ledger.recorder.response(slot, endNs - dueNs);
    } else if (ledger.failed(operation.kind, slot, code, tookNs)) {
      this.#endedBy = 'error';
      this.stoppedBy ||= ledger.stoppedBy;
    }
    const nowNs = verifier === undefined ? endNs : this.#clock.now();
    if (this.#free.count === 0 && this.#next === undefined) this.#fullUntilNs = nowNs;
    this.#part.pacing?.pace.ended(endNs);
    this.#free.put(place);
    this.#issueDue(nowNs);
  }

  /** Fills the free places as far as it is time to. */
  #issueDue(nowNs: number): void {
    let now = nowNs;
    while (this.#endedBy === undefined) {
      const place = this.#next ?? this.#choose(now);
      if (place === undefined) break;
      if (place.verifier !== undefined && place !== this.#next) {
        // Before the wait: an operation that is due in time is not late because of it.
        now = place.verifier.before(place.operation, place.buffer);
      }
      if (place.dueNs > now) now = this.#wait(place.dueNs, now);
      if (place.dueNs > now) {
        this.#next = place;
        break;
      }
      this.#next = undefined;
      this.#issue(place, now);
      if (this.#free.count > 0) now = this.#clock.now();
    }
    if (this.#endedBy !== undefined) this.#end(this.#endedBy, now);
  }

  /** @returns none when no place is free, or the part's limits allow no more */
  #choose(nowNs: number): Place<OpenPart> | undefined {
    const place = this.#free.first;
    if (place === undefined) return undefined;
    const { allowance, pacing } = this.#part;
    const dueNs = pacing === undefined ? nowNs : pacing.pace.dueNs;
    const slot = allowance.next(place.operation, dueNs > nowNs ? dueNs : nowNs);
    if (slot < 0) {
      this.#endedBy = allowance.endedBy;
      return undefined;
    }
    this.#free.takeFirst();
    pacing?.pace.taken(place.operation.bytes);
    place.part = this.#part;
    place.slot = slot;
    place.dueNs = dueNs;
    return place;
  }

  /** @returns the present; before `dueNs`, when the event loop goes on meanwhile or the load was stopped */
  #wait(dueNs: number, nowNs: number): number {
    const { pacing } = this.#part;
    if (pacing === undefined) return dueNs;
    const { waiter, alarm } = pacing;
    if (this.#inFlight === 0) nowNs = waiter.until(dueNs);
    if (dueNs <= nowNs) return nowNs;
    if (alarm.isStopped) this.#endedBy = 'aborted';
    else {
      this.#awaitedNs = dueNs;
      alarm.set(dueNs, nowNs, this.#wake);
    }
    return nowNs;
  }

  #issue(place: Place<OpenPart>, nowNs: number): void {
    const { operation, buffer, slot, dueNs, part } = place;
    const { starts, cells, missed, openLoop } = part;
    if (cells[firstStart] === 0) {
      cells[firstStart] = nowNs;
      cells[firstDue] = openLoop ? dueNs : 0;
    }
    if (openLoop && dueNs <= this.#fullUntilNs) missed[slot]!++;
    if (dueNs === this.#awaitedNs && nowNs - dueNs > lateNs) cells[lateWakeUps]!++;
    place.startNs = nowNs;
    starts[place.index] = nowNs;
    this.#inFlight++;
    try {
      this.#engine.start(operation, buffer, place.done);
    } catch (error) {
      // Later, so that a lane that only fails still hears the event loop.
      setImmediate(place.done, error as Error, 0);
    }
  }

  #end(endedBy: EndedBy, nowNs: number): void {
    const { isLast, pacing, cells } = this.#part;
    const isDrained = isLast || endedBy === 'error' || endedBy === 'aborted';
    if (isDrained && this.#inFlight > 0) return;
    if (!isLast && this.#inFlight > 0 && this.#hearsOn(nowNs)) return;
    // A closed loop has begun even when there was nothing to do.
    if (pacing === undefined && cells[firstStart] === 0) {
      cells[firstStart] = nowNs;
      cells[lastEnd] = nowNs;
    }
    this.#resolve(endedBy);
  }

  /**
   * The thread waits for the next part outside of its event loop: what ended meanwhile would seem to have lasted until
   * then. So as long as there is time, the loop goes on.
   */
  #hearsOn(nowNs: number): boolean {
    const { pacing, nextNs } = this.#part;
    const untilNs = nextNs - setUpNs;
    if (pacing === undefined || pacing.alarm.isStopped || nowNs >= untilNs) return false;
    pacing.alarm.set(untilNs, nowNs, this.#wake);
    return true;
  }

  #fail(bug: unknown): void {
    this.#endedBy = 'error';
    this.#reject(bug);
  }
}
