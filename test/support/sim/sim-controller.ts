import { protocolVersion } from '../../../src/shared/model/messages.js';
import type { AgentMessage, ControllerMessage } from '../../../src/shared/model/messages.js';
import { Run } from '../../../src/controller/core/run.js';
import type {
  RunEffect,
  RunInput,
  RunOptions,
  WelcomeMessage,
} from '../../../src/controller/core/run-io.js';
import type { RunRecord } from '../../../src/controller/core/records.js';
import type { Open } from '../../../src/agent/core/session-io.js';
import { controllerEndpoint, type LinkEndpoint } from '../../../src/shared/wire/link-endpoint.js';
import { mostPerFrame } from '../../../src/shared/wire/live-pace.js';
import { mergeCounts } from './counted.js';
import type { Path, Stream } from './network.js';
import type { SimAgent } from './sim-agent.js';
import { SimProcess, type SimClock, type World } from './world.js';

/** One host with an agent on it, as the controller can reach it. */
export interface Host {
  readonly path: Path;
  /** The agent process that listens now; undefined: nobody does. */
  agent(): SimAgent | undefined;
}

export interface TimedRecord {
  readonly atMs: number;
  readonly record: RunRecord;
}

interface Link {
  readonly agent: number;
  endpoint: LinkEndpoint<ControllerMessage, AgentMessage> | undefined;
  stream: Stream | undefined;
  generation: number;
  /** Of the dial under way. */
  dialling: number | undefined;
}

export interface SimControllerOptions {
  readonly world: World;
  readonly clock: SimClock;
  readonly run: RunOptions;
  readonly hosts: readonly Host[];
}

/** The controller's process: the real run machine and links, dialling and sockets simulated. */
export class SimController {
  readonly process: SimProcess;
  readonly run: Run;
  readonly records: TimedRecord[] = [];
  readonly notices: string[] = [];
  /** READY messages that were delivered, as `agent/stage`. */
  readonly readies: string[] = [];
  finished: Extract<RunEffect, { kind: 'finished' }> | undefined;
  finishedAtMs: number | undefined;
  effectsAfterEnd = 0;
  readonly #options: SimControllerOptions;
  readonly #links: Link[];
  readonly #inputs: RunInput[] = [];
  #working = false;

  constructor(options: SimControllerOptions) {
    this.#options = options;
    this.run = new Run(options.run);
    this.process = new SimProcess(options.world, options.clock, () => {
      this.feed({ kind: 'tick' });
    });
    this.#links = options.hosts.map((_, agent) => ({
      agent,
      endpoint: undefined,
      stream: undefined,
      generation: 0,
      dialling: undefined,
    }));
  }

  interrupt(): void {
    this.process.receive(() => {
      this.feed({ kind: 'interrupt', signal: 'SIGINT' });
    });
  }

  /** kill -9. */
  crash(): void {
    this.process.kill();
    for (const { stream } of this.#links) stream?.processDied('controller');
  }

  feed(input: RunInput): void {
    this.#inputs.push(input);
    if (this.#working || this.process.dead) return;
    this.#working = true;
    for (let next = this.#inputs.shift(); next; next = this.#inputs.shift()) {
      const now = this.process.clock.now();
      // As the program does.
      const effects =
        next.kind === 'message' ? this.run.hear(next, now) : this.run.handle(next, now);
      if (this.finished) this.effectsAfterEnd += effects.length;
      for (const effect of effects) this.#carryOut(effect);
    }
    this.#working = false;
    for (const link of this.#links) this.#pump(link);
    this.#rearm();
  }

  #carryOut(effect: RunEffect): void {
    switch (effect.kind) {
      case 'dial':
        this.#dial(this.#links[effect.agent]!, effect);
        return;
      case 'helloProbe':
        this.#helloProbe(effect.agent);
        return;
      case 'send':
        this.#links[effect.agent]?.endpoint?.send(effect.message);
        return;
      case 'hangUp':
        this.#hangUp(this.#links[effect.agent]!, effect.generation, effect.reason);
        return;
      case 'notice':
        this.notices.push(effect.line);
        return;
      case 'record':
        this.records.push({ atMs: this.#options.world.nowMs, record: effect.record });
        return;
      case 'checked':
      case 'fetch':
        // A fetch is a stream of its own, which the simulated network does not have.
        return;
      case 'finished':
        this.finished = effect;
        this.finishedAtMs = this.#options.world.nowMs;
        return;
      default:
        effect satisfies never;
    }
  }

  /** Something arrives from the network at the controller's process. */
  #later(atMs: number, handle: () => void): void {
    this.#options.world.at(atMs, () => {
      this.process.receive(handle);
    });
  }

  #dial(link: Link, { generation, held }: Extract<RunEffect, { kind: 'dial' }>): void {
    link.dialling = generation;
    const { world, run } = this.#options;
    const { agent } = link;
    const { path } = this.#options.hosts[agent]!;
    const { connectMs, helloMs } = run.plan.timeouts;
    const failed = (code: 'refused' | 'timeout', message: string): void => {
      if (link.dialling !== generation) return;
      link.dialling = undefined;
      this.feed({ kind: 'dialFailed', agent, generation, code, message });
    };
    const arrivesMs = path.arrivalFrom('controller');
    if (arrivesMs > world.nowMs + connectMs) {
      this.#later(world.nowMs + connectMs, () => {
        failed('timeout', 'no answer');
      });
      return;
    }
    this.#later(world.nowMs + connectMs + helloMs, () => {
      failed('timeout', 'no answer to Hello');
    });
    world.at(arrivesMs, () => {
      const listener = this.#options.hosts[agent]?.agent();
      if (!listener || world.nowMs < path.refusedUntilMs) {
        this.#later(path.arrivalFrom('agent'), () => {
          failed('refused', 'connection refused');
        });
        return;
      }
      const stream = path.connect();
      const open: Open = {
        kind: 'open',
        protocol: protocolVersion,
        nonce: new Uint8Array(16),
        runId: run.runId,
        secret: 'secret',
        identity: 'root@ctl',
        generation,
        steal: false,
        held,
        received: link.endpoint?.received ?? 0n,
        intervalsPerFrame: mostPerFrame,
        takesBeside: true,
      };
      listener.process.receive(() => {
        const answer = listener.answer(open, stream);
        stream.handshake('agent', () => {
          this.process.receive(() => {
            this.#answered(link, listener, stream, open, answer);
          });
        });
      });
    });
  }

  #answered(
    link: Link,
    listener: SimAgent,
    stream: Stream,
    open: Open,
    answer: ReturnType<SimAgent['answer']>,
  ): void {
    const { agent } = link;
    const { generation } = open;
    if (link.dialling !== generation) {
      stream.close('controller', 'not wanted any more');
      return;
    }
    link.dialling = undefined;
    if (answer.kind === 'refused') {
      const { code, message } = answer;
      const instanceId = listener.instance;
      this.feed({ kind: 'dialFailed', agent, generation, code, message, instanceId });
      return;
    }
    this.#attach(link, stream, generation, answer);
    stream.handshake('controller', () => {
      listener.process.receive(() => {
        if (stream.isOpen('agent')) listener.confirmed(open, stream);
      });
    });
    this.feed({ kind: 'dialed', agent, generation, hello: listener.hello(), welcome: answer });
  }

  #attach(link: Link, stream: Stream, generation: number, welcome: WelcomeMessage): void {
    const session = this.#options.run.runId;
    link.endpoint ??= controllerEndpoint({ session, mergeHistograms: mergeCounts });
    link.stream = stream;
    link.generation = generation;
    link.endpoint.attach(generation, this.process.clock.nowMs, welcome.received);
    stream.attach('controller', {
      frame: (bytes) => {
        this.process.receive(() => {
          this.#frame(link, stream, generation, bytes);
        });
      },
      closed: (reason) => {
        this.process.receive(() => {
          this.#lost(link, stream, generation, reason);
        });
      },
    });
  }

  #frame(link: Link, stream: Stream, generation: number, bytes: Buffer): void {
    if (link.stream !== stream || !link.endpoint) return;
    const { ms, ns: receivedNs } = this.process.clock.now();
    const { agent } = link;
    const events = link.endpoint.receive(bytes, ms, generation);
    for (const event of events) {
      if (event.kind === 'message') {
        const { message } = event;
        if (message.kind === 'ready') {
          this.readies.push(`${String(agent)}/${String(message.stage)}`);
        }
        this.feed({ kind: 'message', agent, generation, message, receivedNs });
      } else if (event.kind === 'invalid') {
        const { sequence, reason } = event;
        this.feed({ kind: 'invalid', agent, generation, sequence, reason });
      } else if (event.kind === 'tooManyInvalid') {
        stream.close('controller', 'too many invalid frames');
        this.#lost(link, stream, generation, 'too many invalid frames');
      }
    }
    // What was fed has done the rest.
    if (events.at(-1)?.kind === 'message') return;
    this.#pump(link);
    this.#rearm();
  }

  #lost(link: Link, stream: Stream, generation: number, reason: string): void {
    if (link.stream !== stream) return;
    link.stream = undefined;
    link.endpoint?.detach();
    this.feed({ kind: 'linkLost', agent: link.agent, generation, reason });
  }

  #hangUp(link: Link, generation: number, reason: string): void {
    if (link.dialling === generation) link.dialling = undefined;
    if (link.generation !== generation) return;
    this.#pump(link);
    link.stream?.close('controller', reason);
    link.stream = undefined;
    link.endpoint?.detach();
  }

  #helloProbe(agent: number): void {
    const { world, hosts, run } = this.#options;
    const { path } = hosts[agent]!;
    const { helloMs } = run.plan.timeouts;
    let answered = false;
    const answer = (hello: Extract<RunInput, { kind: 'helloResult' }>['hello']): void => {
      if (answered) return;
      answered = true;
      this.feed({ kind: 'helloResult', agent, hello });
    };
    this.#later(world.nowMs + helloMs, () => {
      answer(undefined);
    });
    world.at(path.arrivalFrom('controller'), () => {
      const listener = hosts[agent]?.agent();
      listener?.process.receive(() => {
        const hello = listener.hello();
        this.#later(path.arrivalFrom('agent'), () => {
          answer(hello);
        });
      });
    });
  }

  #pump(link: Link): void {
    const { stream, endpoint } = link;
    if (!stream || !endpoint) return;
    const { nowMs } = this.process.clock;
    const drained = (): void => {
      this.process.receive(() => {
        this.#pump(link);
        this.#rearm();
      });
    };
    while (!stream.isFull('controller', drained)) {
      const bytes = endpoint.poll(nowMs);
      if (!bytes) break;
      stream.write('controller', bytes);
    }
  }

  #rearm(): void {
    let due = this.run.wakeAt() ?? Infinity;
    for (const { stream, endpoint } of this.#links) {
      if (stream?.awaitsDrain('controller') === true) continue;
      due = Math.min(due, endpoint?.wakeAt() ?? Infinity);
    }
    this.process.wakeAt(due === Infinity ? undefined : due);
  }
}
