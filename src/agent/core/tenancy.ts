import type { Instant } from '../../shared/kernel/clock.js';
import { deliveryOf } from '../../shared/model/messages.js';
import type { AgentMessage, ControllerMessage, Owner } from '../../shared/model/messages.js';
import type { Departure, Ownership } from './admission.js';
import { earliest } from './alarm.js';
import { Heartbeat } from './heartbeat.js';
import { OwnerWatch } from './lease.js';
import { releaseReason, stopped } from './parting.js';
import type { Parting } from './parting.js';
import { AgentRun } from './run.js';
import type { RunHost } from './run-context.js';
import type { ControlHealth, Open } from './session-io.js';

/** How long an agent that is being stopped waits for the controller to acknowledge the last words. */
const lastWordsMs = 2_000;

/** One heartbeat in so many is followed by a report on the link. */
const beatsPerReport = 10;

/** One controller's hold on the agent: identity, streams, lease, and the run it is held for. */
export class Tenancy {
  readonly owner: Owner;
  readonly run: AgentRun;
  readonly #secret: string;
  readonly #host: RunHost;
  readonly #watch: OwnerWatch;
  readonly #heartbeat: Heartbeat;
  #generation: number;
  #stream: number | undefined;
  /** Nothing reliable is on its way to the controller. */
  #flushed = true;
  #parting: Parting | undefined;
  #beats = 0;
  #departure: Departure | undefined;
  readonly #stoleAtMs: number | undefined;
  /** What it reports outlives it on this host. */
  #isKept: boolean;

  constructor(stream: number, open: Open, host: RunHost, now: Instant) {
    this.owner = { runId: open.runId, identity: open.identity, sinceUnixMs: now.unixMs };
    this.#secret = open.secret;
    this.#host = {
      ...host,
      emit: (effect) => {
        if (effect.kind === 'send') {
          const { kind } = effect.message;
          if (deliveryOf[kind].reliable) this.#flushed = false;
          if (kind === 'final' || kind === 'cleaned') host.emit({ kind: 'reportLink' });
          if (kind === 'interval') this.#heartbeat.besideInterval();
        }
        host.emit(effect);
      },
    };
    this.run = new AgentRun(this.#host);
    this.#watch = new OwnerWatch(now.ms);
    this.#heartbeat = new Heartbeat(now.ms);
    this.#generation = open.generation;
    this.#stoleAtMs = open.steal ? now.ms : undefined;
    this.#isKept = host.options.keeps === true;
    this.#stream = stream;
    host.emit({ kind: 'accept', stream, resumed: false });
    this.#log('info', `Run ${open.runId} of ${open.identity} has the agent`);
  }

  get ownership(): Ownership {
    const yieldsAtMs = this.#mayYield ? this.#watch.triedUntilMs : undefined;
    const goneAtMs = earliest(this.#watch.goneAtMs, yieldsAtMs);
    const [secret, generation, stoleAtMs] = [this.#secret, this.#generation, this.#stoleAtMs];
    const state = this.run.state;
    return { owner: this.owner, secret, generation, state, goneAtMs, yieldsAtMs, stoleAtMs };
  }

  /** Its controller is connected, and has just been heard. */
  speaks(nowMs: number): boolean {
    return this.#watch.speaks(nowMs);
  }

  /** Nothing is lost with the run: it is over, and what its controller has not acknowledged can be fetched. */
  get #mayYield(): boolean {
    return this.run.isOver && !this.#host.options.once && (this.#isKept || this.#flushed);
  }

  get stream(): number | undefined {
    return this.#stream;
  }

  /** How the run left the agent; undefined: it has it. */
  get departure(): Departure | undefined {
    return this.#departure;
  }

  get ownerIsGone(): boolean {
    return this.#parting?.kind === 'ownerGone';
  }

  message(message: ControllerMessage, receivedNs: bigint, now: Instant): void {
    this.#watch.heard(now.ms);
    switch (message.kind) {
      case 'lease':
        this.#renewRunner(now);
        return;
      case 'ping':
        this.send({ kind: 'pong', id: message.id });
        return;
      case 'probe': {
        const { id, t1Ns } = message;
        const { ns: t3Ns, unixMs } = now;
        this.send({ kind: 'probeReply', id, t1Ns, t2Ns: receivedNs, t3Ns, unixMs });
        return;
      }
      case 'prepare':
        this.run.command(message, now);
        if (this.run.timeouts) this.#watch.use(this.run.timeouts);
        this.#renewRunner(now);
        return;
      case 'start':
      case 'go':
      case 'share':
      case 'abort':
      case 'cleanup':
        this.run.command(message, now);
        return;
      case 'goodbye':
        this.#goodbye(message.reason, message.keep === true, now);
        return;
      case 'open':
      case 'confirm':
      case 'fetch':
      case 'fetched':
        this.#log('warn', `Ignoring ${message.kind.toUpperCase()} inside a session`);
        return;
      case 'nak':
      case 'pong':
        // The link has acted on a nak; a pong has done its work by being heard.
        return;
      default:
        message satisfies never;
    }
  }

  resumed(stream: number, generation: number, now: Instant): void {
    if (this.#stream !== undefined) this.#close(false, 'replaced by a newer stream');
    this.#generation = generation;
    this.#stream = stream;
    this.#watch.streamOpened(now.ms);
    this.#heartbeat.restart(now.ms);
    this.#host.emit({ kind: 'accept', stream, resumed: true });
    // Those that were due meanwhile were not sent, and what is replayed now may be its last word.
    this.#host.emit({ kind: 'reportLink' });
    this.#log('info', `Controller is back on stream ${String(generation)}`);
    this.#renewRunner(now);
  }

  streamLost(reason: string, now: Instant): void {
    this.#stream = undefined;
    this.#watch.streamLost(now.ms);
    this.#log('warn', reason);
    this.#renewRunner(now);
  }

  flushed(): void {
    this.#flushed = true;
  }

  stolen(by: Open, now: Instant): void {
    const reason = `taken over by run ${by.runId} of ${by.identity} (--steal)`;
    this.#log('warn', `Run ${this.owner.runId} of ${this.owner.identity} was ${reason}`);
    this.run.abandon(stopped(reason), now);
    this.#close(true, reason);
    this.#released(false, reason, now);
  }

  /** The run is over, its controller was not heard of for long, and another run asks for the agent. */
  inherited(by: Open, now: Instant): void {
    const why = `its part was over and its controller not heard of, and run ${by.runId} of ${by.identity} asked for the agent`;
    this.#parting = { kind: 'ownerGone', why };
    this.release(now);
  }

  /** What the run reports from now on is not kept on this host. */
  unspooled(line: string): void {
    this.#isKept = false;
    this.run.note(line);
  }

  /** A recovery of the run ends it here; a stream that is still open is told. */
  recovered(reason: string, now: Instant): void {
    this.#log('warn', `Run ${this.owner.runId} of ${this.owner.identity} is recovered: ${reason}`);
    this.#close(true, reason);
    this.#parting = { kind: 'ownerGone', why: reason };
    this.run.end({ to: 'ABORTED', reason, error: undefined, endedBy: 'aborted' }, now);
  }

  operatorStop(now: Instant): void {
    const reason = 'agent stopped by operator';
    this.run.end(stopped(reason), now);
    this.#parting ??= { kind: 'stopped', byMs: undefined };
  }

  tick(health: ControlHealth, now: Instant): void {
    this.#heartbeat.observe(health);
    if (!this.#parting && this.#watch.ownerGone(now.ms)) this.#ownerGone(now);
    this.run.tick(now);
    if (this.#stream === undefined) return;
    const heartbeat = this.#heartbeat.due(this.run, now.ms);
    if (!heartbeat) return;
    this.send(heartbeat);
    if (this.#beats % beatsPerReport === 0) this.#host.emit({ kind: 'reportLink' });
    this.#beats += 1;
  }

  wakeAt(): number | undefined {
    return earliest(
      this.run.wakeAt(),
      this.#parting ? undefined : this.#watch.wakeAt(),
      this.#parting?.kind === 'stopped' ? this.#parting.byMs : undefined,
      this.#stream === undefined ? undefined : this.#heartbeat.wakeAt(),
    );
  }

  /** May the agent be given to the next run? */
  canRelease(nowMs: number): boolean {
    const parting = this.#parting;
    if (parting?.kind === 'goodbye' && this.run.state === 'IDLE') return true;
    if (!this.run.isOver) return false;
    switch (parting?.kind) {
      case 'goodbye':
      case 'ownerGone':
        return true;
      case 'stopped':
        parting.byMs ??= nowMs + lastWordsMs;
        return this.#flushed || this.#stream === undefined || nowMs >= parting.byMs;
      case undefined:
        // The controller has all there is and hung up: nothing to come back for, unless to clean up.
        return this.#stream === undefined && this.#flushed && this.run.state !== 'COMPLETED';
    }
  }

  release(now: Instant): void {
    const parting = this.#parting;
    const reason = releaseReason(parting);
    const isGoodbye = parting?.kind === 'goodbye';
    this.#close(!isGoodbye, reason);
    this.run.dismissRunner(now);
    this.#log('info', `Run ${this.owner.runId} has left the agent`);
    this.#released(isGoodbye && this.#flushed && !parting.keep, reason, now);
  }

  send(message: AgentMessage): void {
    this.#host.emit({ kind: 'send', message });
  }

  #goodbye(reason: string, keep: boolean, now: Instant): void {
    this.#parting = { kind: 'goodbye', keep };
    if (this.run.state === 'IDLE') return;
    const why = `controller left: ${reason}`;
    this.run.end({ to: 'ABORTED', reason: why, error: undefined, endedBy: 'aborted' }, now);
  }

  #ownerGone(now: Instant): void {
    const { why } = this.#watch;
    this.#parting = { kind: 'ownerGone', why };
    this.#log('warn', `Controller disconnected${this.run.isOver ? '' : ' - aborting'}`);
    const error = { code: 'lease', message: why } as const;
    this.run.end({ to: 'ABORTED', reason: why, error, endedBy: 'aborted' }, now);
  }

  #renewRunner(now: Instant): void {
    this.run.lease(this.#watch.runnerDeadlineNs(now.ms, now.ns), now);
  }

  #close(goodbye: boolean, reason: string): void {
    if (this.#stream === undefined) return;
    this.#host.emit({ kind: 'closeStream', stream: this.#stream, goodbye, reason });
    this.#stream = undefined;
  }

  #released(delivered: boolean, reason: string, now: Instant): void {
    const { runId } = this.owner;
    this.#departure = { runId, secret: this.#secret, reason, unixMs: now.unixMs };
    this.#host.emit({ kind: 'released', runId, delivered });
  }

  #log(level: 'info' | 'warn', line: string): void {
    this.#host.emit({ kind: 'log', level, line });
  }
}
