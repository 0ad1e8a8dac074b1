import type { Instant } from '../../shared/kernel/clock.js';
import type { AgentMessage, Progress } from '../../shared/model/messages.js';
import type { AgentSession } from './agent-session.js';
import { tenthSeconds, wholeSeconds } from './duration-text.js';
import { LatencyWatch } from './latency-watch.js';
import { ProgressWatch } from './progress-watch.js';
import { silentAfterMs, StageWatch, type Heard } from './stage-watch.js';
import { StallWatch } from './stall-watch.js';

type HeartbeatMessage = Extract<AgentMessage, { kind: 'heartbeat' }>;
type IntervalMessage = Extract<AgentMessage, { kind: 'interval' }>;

/** Silence on an open stream after which the agent is asked on a fresh connection, and how often. */
const helloAfterMs = 10_000;

/** Messages that arrive closer together than this were held up together: one latency, not several. */
const latencySpacingMs = 500;

type Mode =
  | { readonly kind: 'rest' }
  /** Work without stats: any message will do, and progress is watched where there is some. */
  | {
      readonly kind: 'work';
      readonly silenceMs: number;
      readonly silent: 'crashed' | 'hung';
      readonly progress: ProgressWatch;
      readonly doing: string;
    }
  | {
      readonly kind: 'stage';
      readonly watch: StageWatch;
      readonly stall: StallWatch;
      readonly t0Ms: number;
      readonly hasPlannedEnd: boolean;
      overAtMs: number | undefined;
      away: boolean;
    };

/** All watches over one agent's silence. Phases say what kind of silence matters; this says when it is too long. */
export class SessionWatch {
  readonly #session: AgentSession;
  readonly #latency = new LatencyWatch();
  readonly #pings = new Map<number, number>();
  #mode: Mode = { kind: 'rest' };
  #heardAtMs = 0;
  #helloAskedAtMs = -Infinity;
  #latencyAtMs = -Infinity;
  #pingId = 0;
  #heartbeat: HeartbeatMessage | undefined;
  #progress: Progress | undefined;

  constructor(session: AgentSession) {
    this.#session = session;
  }

  rest(): void {
    this.#mode = { kind: 'rest' };
  }

  /** `silent`: what an agent is that says nothing for `silenceMs`; `stallMs`: how long it may get no further. */
  work(
    doing: string,
    silenceMs: number,
    silent: 'crashed' | 'hung',
    stallMs: number,
    nowMs: number,
  ): void {
    const progress = new ProgressWatch(stallMs, nowMs);
    this.#mode = { kind: 'work', silenceMs, silent, progress, doing };
  }

  stage(name: string, t0Ms: number, overAtMs: number | undefined): void {
    const { timeouts } = this.#session.context.plan;
    const watch = new StageWatch(this.#session.id, name, timeouts, t0Ms);
    const stall = new StallWatch(t0Ms);
    const hasPlannedEnd = overAtMs !== undefined;
    this.#mode = { kind: 'stage', watch, stall, t0Ms, hasPlannedEnd, overAtMs, away: false };
  }

  stageOver(atMs: number): void {
    if (this.#mode.kind === 'stage') this.#mode.overAtMs ??= atMs;
  }

  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  get latestHeartbeat(): HeartbeatMessage | undefined {
    return this.#heartbeat;
  }

  get latestProgress(): Progress | undefined {
    return this.#progress;
  }

  get latencyMs(): number | undefined {
    return this.#latency.latestMs;
  }

  /** Age of the stats in a stage that runs; undefined otherwise. */
  statsAgeMs(nowMs: number): number | undefined {
    return this.#mode.kind === 'stage' ? this.#mode.watch.statsAgeMs(nowMs) : undefined;
  }

  get runnerIsSilent(): boolean {
    return (this.#heartbeat?.runnerSilenceNs ?? 0) / 1e6 > silentAfterMs;
  }

  connected(nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.#pings.clear();
  }

  heard(nowMs: number): void {
    const silentMs = nowMs - this.#heardAtMs;
    this.#heardAtMs = nowMs;
    if (!this.#session.link.heard()) return;
    const { context, id } = this.#session;
    context.outbox.notice('warn', `Agent ${id} speaks again after ${wholeSeconds(silentMs)}`);
    if (this.#mode.kind === 'stage') this.#mode.watch.stats(nowMs);
    context.emit({ kind: 'back' });
  }

  /** True when the silence on the stream still lasts: then the answer on the side proves the stream dead. */
  helloAnswered(nowMs: number): boolean {
    return this.#session.link.isOpen && nowMs - this.#heardAtMs >= helloAfterMs;
  }

  pong(id: number, nowMs: number): void {
    const sentAtMs = this.#pings.get(id);
    if (sentAtMs === undefined) return;
    this.#pings.delete(id);
    this.latency(nowMs - sentAtMs);
  }

  latency(ms: number): void {
    if (!this.#latency.measured(ms)) return;
    const line = `WARNING: Agent ${this.#session.id} message latency: ${tenthSeconds(ms)} (network issue?)`;
    this.#session.context.outbox.notice('warn', line);
  }

  heartbeat(message: HeartbeatMessage, nowMs: number): void {
    this.#heartbeat = message;
    if (this.#mode.kind !== 'stage') return;
    const { operations, inFlight, oldestInFlightNs } = message;
    const line = this.#mode.stall.report(
      this.#session.id,
      operations,
      inFlight,
      oldestInFlightNs,
      nowMs,
    );
    if (line !== undefined) this.#session.context.outbox.notice('warn', line);
  }

  progress(progress: Progress, nowMs: number): void {
    this.#progress = progress;
    if (this.#mode.kind === 'work') this.#mode.progress.report(progress, nowMs);
  }

  /** A step was done that is progress in itself. */
  advanced(nowMs: number): void {
    if (this.#mode.kind === 'work') this.#mode.progress.advanced(nowMs);
  }

  stats(interval: IntervalMessage, now: Instant): void {
    if (this.#mode.kind !== 'stage') return;
    this.#mode.watch.stats(now.ms);
    const madeAtMs = this.#mode.t0Ms + (interval.last + 1) * 1000 + interval.sampledLateNs / 1e6;
    const isFirstOfBurst = now.ms - this.#latencyAtMs >= latencySpacingMs;
    this.#latencyAtMs = now.ms;
    if (isFirstOfBurst) this.latency(Math.max(0, now.ms - madeAtMs));
  }

  check(now: Instant): void {
    if (this.#isBeyondJudging) return;
    if (this.#session.link.isOpen) this.#askOnTheSide(now.ms);
    if (this.#mode.kind === 'work') this.#checkWork(this.#mode, now.ms);
    else if (this.#mode.kind === 'stage') this.#checkStage(this.#mode, now.ms);
  }

  wakeAt(): number | undefined {
    if (this.#isBeyondJudging) return undefined;
    const due: number[] = [];
    if (this.#session.link.isOpen) due.push(this.#helloDueMs);
    if (this.#mode.kind === 'work') {
      if (this.#judgesSilence(this.#mode)) due.push(this.#heardAtMs + this.#mode.silenceMs);
      if (this.#isWorking) due.push(this.#mode.progress.wakeAt());
    } else if (this.#mode.kind === 'stage' && !this.#mode.away) {
      const at = this.#mode.watch.wakeAt(this.#heard(this.#mode, 0));
      if (at !== undefined) due.push(at);
    }
    return due.length > 0 ? Math.min(...due) : undefined;
  }

  shift(ms: number): void {
    this.#heardAtMs += ms;
    this.#helloAskedAtMs += ms;
    if (this.#mode.kind === 'work') this.#mode.progress.shift(ms);
    if (this.#mode.kind === 'stage') {
      this.#mode.watch.shift(ms);
      this.#mode.stall.shift(ms);
    }
  }

  get #isBeyondJudging(): boolean {
    const { failure, linkState } = this.#session;
    return failure !== undefined || linkState === 'CONNECTING' || linkState === 'HUNG';
  }

  get #isWorking(): boolean {
    const { state } = this.#session;
    return (
      state === 'PREPARING' || state === 'RUNNING' || state === 'DRAINING' || state === 'CLEANING'
    );
  }

  get #helloDueMs(): number {
    return Math.max(this.#heardAtMs, this.#helloAskedAtMs) + helloAfterMs;
  }

  #askOnTheSide(nowMs: number): void {
    if (nowMs < this.#helloDueMs) return;
    this.#helloAskedAtMs = nowMs;
    this.#session.context.outbox.push({ kind: 'helloProbe', agent: this.#session.index });
  }

  #judgesSilence(mode: Extract<Mode, { kind: 'work' }>): boolean {
    return mode.silent === 'crashed' || this.#session.link.isOpen;
  }

  #checkWork(mode: Extract<Mode, { kind: 'work' }>, nowMs: number): void {
    const { id, context } = this.#session;
    const silentMs = nowMs - this.#heardAtMs;
    if (this.#judgesSilence(mode) && silentMs >= mode.silenceMs) {
      const silence = wholeSeconds(silentMs);
      if (mode.silent === 'crashed') {
        const line = `Agent ${id} crashed during ${mode.doing} phase (no response for ${silence})`;
        this.#session.fail('crashed', line);
      } else {
        const line = `Agent ${id} not responding (no message for ${silence}) - marking as hung`;
        this.#session.markHung(line);
      }
      return;
    }
    if (!this.#isWorking) return;
    const { warning, givenUp } = mode.progress.check(id, nowMs);
    if (warning !== undefined) context.outbox.notice('warn', warning);
    if (givenUp)
      this.#session.fail('error', `Agent ${id} got no further in its ${mode.doing} phase`);
  }

  #checkStage(mode: Extract<Mode, { kind: 'stage' }>, nowMs: number): void {
    if (mode.away) return;
    const verdict = mode.watch.check(this.#heard(mode, nowMs));
    const { context } = this.#session;
    switch (verdict?.kind) {
      case undefined:
        return;
      case 'ping':
        if (verdict.line !== undefined) context.outbox.notice('warn', verdict.line);
        this.#ping(nowMs);
        return;
      case 'hung':
        this.#session.markHung(verdict.line);
        return;
      case 'stuck':
        this.#session.fail('error', verdict.line);
        return;
      case 'away':
        mode.away = true;
        context.outbox.notice('warn', verdict.line);
        context.emit({ kind: 'away' });
        return;
      default:
        verdict satisfies never;
    }
  }

  #heard(mode: Extract<Mode, { kind: 'stage' }>, nowMs: number): Heard {
    return {
      nowMs,
      heardAtMs: this.#heardAtMs,
      connected: this.#session.link.isOpen,
      overAtMs: mode.overAtMs,
      // Without a planned end a slow agent may go on after the first one is done, as long as it gets on.
      stuckFromMs: mode.hasPlannedEnd ? 0 : mode.stall.completedAtMs,
      runnerSilent: this.runnerIsSilent,
    };
  }

  #ping(nowMs: number): void {
    this.#pingId += 1;
    this.#pings.set(this.#pingId, nowMs);
    this.#session.context.outbox.send(this.#session.index, { kind: 'ping', id: this.#pingId });
  }
}
