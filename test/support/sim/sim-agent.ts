import type { Assignment } from '../../../src/shared/model/assignment.js';
import { protocolVersion } from '../../../src/shared/model/messages.js';
import type {
  AgentMessage,
  ControllerMessage,
  HelloReply,
} from '../../../src/shared/model/messages.js';
import { linkReport } from '../../../src/shared/model/link-metrics.js';
import { AgentSession } from '../../../src/agent/core/session.js';
import type { Open, SessionEffect, SessionInput } from '../../../src/agent/core/session-io.js';
import type { RunnerCommand } from '../../../src/agent/runner/protocol.js';
import { agentEndpoint, type LinkEndpoint } from '../../../src/shared/wire/link-endpoint.js';
import { CountSum, mergeCounts } from './counted.js';
import type { Stream } from './network.js';
import { SimRunner, type LoadTruth, type RunnerTraits } from './sim-runner.js';
import { SimProcess, type SimClock, type World } from './world.js';

export type OpenAnswer = Extract<AgentMessage, { kind: 'welcome' | 'refused' }>;

interface Session {
  readonly open: Open;
  readonly stream: Stream;
}

export interface SimAgentOptions {
  readonly world: World;
  readonly clock: SimClock;
  readonly index: number;
  readonly instance: string;
  readonly traits: RunnerTraits;
  readonly truths: LoadTruth[];
  readonly log: (line: string) => void;
}

/** An agent's control process and its runners: the real session machine and link, everything around them simulated. */
export class SimAgent {
  readonly process: SimProcess;
  readonly session: AgentSession;
  readonly runners = new Map<number, SimRunner>();
  readonly #options: SimAgentOptions;
  readonly #unconfirmed = new Set<Stream>();
  readonly #streams = new Map<number, Session>();
  #nextStream = 1;
  #endpoint: LinkEndpoint<AgentMessage, ControllerMessage> | undefined;
  #bound: Stream | undefined;
  #unflushed = false;
  exitCode: number | undefined;
  /** Frames the link complained about. */
  invalid = 0;

  constructor(options: SimAgentOptions) {
    this.#options = options;
    this.process = new SimProcess(options.world, options.clock, () => {
      this.#feed({ kind: 'tick', health: { loopDelayNs: 0, rssBytes: 1 << 20 } });
    });
    this.session = new AgentSession({
      once: false,
      roots: [],
      parseAssignment: (json) => JSON.parse(json) as Assignment,
      createHistogram: () => new CountSum(),
    });
  }

  get instance(): string {
    return this.#options.instance;
  }

  hello(): HelloReply {
    return {
      product: 'muster',
      protocol: protocolVersion,
      version: '0.1.0',
      instanceId: this.#options.instance,
      bootId: `boot-${String(this.#options.index)}`,
      agentId: '',
      state: this.session.state,
      owner: this.session.owner,
      hostname: `host-${String(this.#options.index)}`,
      ownerSpeaks: this.session.ownerSpeaks(this.process.clock.nowMs),
      tokenRequired: false,
      checkpoints: [],
    };
  }

  /** The answer to an Open; the stream is taken in when Confirm comes. */
  answer(open: Open, stream: Stream): OpenAnswer {
    this.#unconfirmed.add(stream);
    const verdict = this.session.verdict(open, this.process.clock.nowMs);
    if (verdict.kind === 'refuse') {
      const { code, message, owner } = verdict;
      return { kind: 'refused', code, message, owner };
    }
    const resumed = verdict.kind === 'resume';
    return {
      kind: 'welcome',
      nonce: new Uint8Array(16),
      proof: new Uint8Array(),
      instanceId: this.#options.instance,
      bootId: `boot-${String(this.#options.index)}`,
      version: '0.1.0',
      state: this.session.state,
      resumed,
      received: resumed ? (this.#endpoint?.received ?? 0n) : 0n,
      host: '{}',
    };
  }

  confirmed(open: Open, stream: Stream): void {
    this.#unconfirmed.delete(stream);
    const id = this.#nextStream++;
    this.#streams.set(id, { open, stream });
    stream.attach('agent', {
      frame: (bytes) => {
        this.process.receive(() => {
          this.#frame(id, bytes);
        });
      },
      closed: (reason) => {
        this.process.receive(() => {
          this.#closed(id, reason);
        });
      },
    });
    this.#feed({ kind: 'opened', stream: id, open });
  }

  /** SIGKILL of the control process: the kernel closes what it had open, the runner sees its channel close. */
  crash(): void {
    this.process.kill();
    for (const { stream } of this.#streams.values()) stream.processDied('agent');
    for (const stream of this.#unconfirmed) stream.processDied('agent');
    for (const runner of this.runners.values()) runner.orphaned();
  }

  operatorStop(): void {
    this.process.receive(() => {
      this.#feed({ kind: 'operatorStop', signal: 'SIGTERM' });
    });
  }

  get liveRunners(): SimRunner[] {
    return [...this.runners.values()].filter(({ process }) => !process.dead);
  }

  #feed(input: SessionInput): void {
    if (this.process.dead) return;
    this.#handle(input);
    // As the control loop does: a heartbeat rides with the interval.
    if (input.kind === 'runner' && input.event.kind === 'interval') {
      this.#handle({ kind: 'tick', health: { loopDelayNs: 0, rssBytes: 0 } });
    }
    this.#pump();
    this.#noteFlushed();
    this.#rearm();
  }

  #handle(input: SessionInput): void {
    for (const effect of this.session.handle(input, this.process.clock.now())) {
      this.#carryOut(effect);
    }
  }

  #carryOut(effect: SessionEffect): void {
    switch (effect.kind) {
      case 'accept':
        this.#accept(effect.stream, effect.resumed);
        return;
      case 'refuse':
        this.#streams.get(effect.stream)?.stream.close('agent', effect.message);
        return;
      case 'send':
        this.#endpoint?.send(effect.message);
        this.#unflushed = true;
        return;
      case 'reportLink':
        this.#reportLink();
        return;
      case 'closeStream':
        this.#closeStream(effect.stream, effect.goodbye, effect.reason);
        return;
      case 'released':
        this.#endpoint = undefined;
        return;
      case 'forkRunner':
        this.#fork(effect.runner);
        return;
      case 'runner':
        this.#order(effect.runner, effect.command);
        return;
      case 'killRunner':
        this.runners.get(effect.runner)?.kill('SIGKILL');
        return;
      case 'log':
        this.#options.log(effect.line);
        return;
      case 'exit':
        this.exitCode = effect.code;
        this.crash();
        return;
      default:
        effect satisfies never;
    }
  }

  #accept(id: number, resumed: boolean): void {
    const session = this.#streams.get(id);
    if (!session) return;
    const { open, stream } = session;
    if (!resumed || !this.#endpoint) {
      this.#endpoint = agentEndpoint({ session: open.runId, mergeHistograms: mergeCounts });
    }
    this.#bound = stream;
    const { generation, received, held, intervalsPerFrame, takesBeside } = open;
    const { nowMs } = this.process.clock;
    const peer = { held, intervalsPerFrame, takesBeside };
    this.#endpoint.attach(generation, nowMs, received, peer);
  }

  #reportLink(): void {
    const metrics = this.#endpoint?.metrics();
    if (!metrics) return;
    const report = linkReport(metrics, { checkpoints: 0, checkpointBytes: 0 });
    this.#endpoint?.send({ kind: 'linkReport', ...report });
  }

  #closeStream(id: number, goodbye: boolean, reason: string): void {
    const session = this.#streams.get(id);
    if (!session) return;
    if (goodbye && session.stream === this.#bound) {
      this.#endpoint?.send({ kind: 'goodbye', reason });
    }
    this.#pump();
    session.stream.close('agent', reason);
    this.#unbind(session.stream);
    this.#streams.delete(id);
  }

  #fork(number: number): void {
    const { world, clock, index, traits, truths } = this.#options;
    const runner = new SimRunner(world, clock, index, traits, {
      truths,
      // The channel between the processes is in order, and takes no time worth mentioning.
      event: (event) => {
        world.after(0, () => {
          this.process.receive(() => {
            this.#feed({ kind: 'runner', runner: number, event });
          });
        });
      },
      exited: (exit) => {
        world.after(1, () => {
          this.process.receive(() => {
            this.#feed({ kind: 'runnerExited', runner: number, exit });
          });
        });
      },
    });
    this.runners.set(number, runner);
  }

  #order(number: number, command: RunnerCommand): void {
    this.#options.world.after(0, () => this.runners.get(number)?.command(command));
  }

  #frame(id: number, bytes: Buffer): void {
    const session = this.#streams.get(id);
    const endpoint = this.#endpoint;
    if (!session || !endpoint || session.stream !== this.#bound) return;
    const { ms, ns } = this.process.clock.now();
    const events = endpoint.receive(bytes, ms, session.open.generation);
    for (const event of events) {
      if (event.kind === 'message') {
        this.#feed({ kind: 'message', stream: id, message: event.message, receivedNs: ns });
      } else if (event.kind === 'adapted') this.#feed({ kind: 'linkAdapted', line: event.line });
      else if (event.kind === 'invalid') this.invalid += 1;
      else if (event.kind === 'tooManyInvalid') {
        session.stream.close('agent', 'too many invalid frames');
        this.#closed(id, 'too many invalid frames');
      }
    }
    // What was fed has done the rest.
    if (events.at(-1)?.kind === 'message') return;
    this.#pump();
    this.#noteFlushed();
    this.#rearm();
  }

  #closed(id: number, reason: string): void {
    const session = this.#streams.get(id);
    if (!session) return;
    this.#streams.delete(id);
    this.#unbind(session.stream);
    this.#feed({ kind: 'detached', stream: id, reason });
  }

  #unbind(stream: Stream): void {
    if (stream !== this.#bound) return;
    this.#bound = undefined;
    this.#endpoint?.detach();
  }

  #pump(): void {
    const stream = this.#bound;
    if (!stream || !this.#endpoint) return;
    const { nowMs } = this.process.clock;
    while (!stream.isFull('agent', this.#drained)) {
      const bytes = this.#endpoint.poll(nowMs);
      if (!bytes) break;
      stream.write('agent', bytes);
    }
  }

  readonly #drained = (): void => {
    this.process.receive(() => {
      this.#pump();
      this.#rearm();
    });
  };

  #noteFlushed(): void {
    const unacked = this.#endpoint?.unacked();
    if (!this.#unflushed || !unacked || unacked.reliable + unacked.queued > 0) return;
    this.#unflushed = false;
    this.#feed({ kind: 'flushed' });
  }

  #rearm(): void {
    const isFull = this.#bound?.awaitsDrain('agent') === true;
    const link = isFull ? undefined : this.#endpoint?.wakeAt();
    const due = Math.min(this.session.wakeAt() ?? Infinity, link ?? Infinity);
    this.process.wakeAt(due === Infinity ? undefined : due);
  }
}
